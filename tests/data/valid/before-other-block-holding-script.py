# /// script
# dependencies = ["demo"]
# ///

# /// other
# /// script
# ///
