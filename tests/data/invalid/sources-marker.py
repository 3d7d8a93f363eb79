# /// script
# [tool.uv.sources]
# a = { path = "a", marker = "linux" }
# ///
