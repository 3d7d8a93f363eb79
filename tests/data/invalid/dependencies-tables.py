# /// script
# [[dependencies]]
# name = "six"
# ///
