# /// script
# requests
# rich
# ///
