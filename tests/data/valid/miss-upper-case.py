# /// SCRIPT
# dependencies = ["demo"]
# ///
