# /// script
#
# dependencies = "demo"
# ///
