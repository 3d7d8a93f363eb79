# /// script
# dependencies = ["demo"]
# ///
