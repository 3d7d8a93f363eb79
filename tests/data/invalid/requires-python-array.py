# /// script
# dependencies = ["demo"]
# requires-python = [">=3"]
# ///
