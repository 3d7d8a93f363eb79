# /// script
# [tool.uv.index]
# url = "https://index.example/"
# ///
