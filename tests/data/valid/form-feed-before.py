x = 1
# /// script
# dependencies = ["demo"]
# ///

