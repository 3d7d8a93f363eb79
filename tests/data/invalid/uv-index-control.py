# /// script
# tool.uv.extra-index-url = ["https://index.example/\u001b"]
# ///
