# /// script
# [[tool.uv.index]]
# url = "https://index.example/"
# explicit = true
# default = true
# ///
