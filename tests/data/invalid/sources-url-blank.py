# /// script
# [tool.uv.sources]
# a = { url = "https://files.example/a b.whl" }
# ///
