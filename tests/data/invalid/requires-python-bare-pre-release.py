# /// script
# requires-python = "3.14rc1"
# ///
