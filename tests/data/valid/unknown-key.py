# /// script
# frobnicate = 1
# ///
