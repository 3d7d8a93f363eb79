dependencies = ["before"]
# /// script
# dependencies = ["demo"]
# ///
dependencies = ["after"]
