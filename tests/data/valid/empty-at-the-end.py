# /// script
# ///