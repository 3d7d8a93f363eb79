# /// script
# dependencies = ["demo"]
# ///
# /// script
# dependencies = ["demo"]
# ///
