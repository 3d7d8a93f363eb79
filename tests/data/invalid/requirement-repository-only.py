# /// script
# dependencies = ["git+https://example.org/demo"]
# ///
