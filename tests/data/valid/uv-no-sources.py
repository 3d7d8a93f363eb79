# /// script
# [tool.uv]
# no-sources = true
# [tool.uv.sources]
# a = { path = "a" }
# ///
