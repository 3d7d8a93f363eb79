# /// script
# [tool.uv.sources]
# a = { git = "https://git.example/x", tag = "1", branch = "b" }
# ///
