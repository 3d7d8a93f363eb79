# /// script
# dependencies = ["demo"]
# ///
