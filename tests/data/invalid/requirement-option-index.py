# /// script
# dependencies = ["--index-url https://example.org/simple"]
# ///
