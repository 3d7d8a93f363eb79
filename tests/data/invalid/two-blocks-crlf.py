# /// script
# ///

# /// script
# ///
