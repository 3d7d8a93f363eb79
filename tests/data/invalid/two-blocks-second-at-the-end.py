# /// script
# ///

# /// script
# ///