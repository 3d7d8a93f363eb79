# /// script
# [tool.uv.sources]
# a = { index = "private" }
# ///
