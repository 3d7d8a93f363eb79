x = 1
# /// script
# ///


# /// script
# dependencies = ["demo"]
# ///
