# /// script
# dependencies = ["demo"]
# ///
