# /// script
# dependencies = ["demo"]
# requires-python = '>=3'
# dependencies = ["demo"]
# ///
