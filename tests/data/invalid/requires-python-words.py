# /// script
# requires-python = "new"
# ///
