# /// script
# [[tool.uv.index]]
# url = "https://index.example/"
#
# [[tool.uv.index]]
# name = "x"
# ///
