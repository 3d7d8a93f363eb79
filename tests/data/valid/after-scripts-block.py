# /// scripts
# x
# ///

# /// script
# dependencies = ["demo"]
# ///
