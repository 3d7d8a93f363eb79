# /// script
# dependencies = ["demo"]
# ///