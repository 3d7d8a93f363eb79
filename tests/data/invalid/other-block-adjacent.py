# /// script
# dependencies = ["demo"]
# ///
# /// other
# x = 1
# ///
