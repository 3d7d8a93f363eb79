# /// script
# [tool.uv.sources]
# a = { path = "a" }
# b = "../b"
# ///
