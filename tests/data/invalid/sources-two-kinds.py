# /// script
# [tool.uv.sources]
# a = [
#   { path = "a" },
#   { path = "a", git = "https://git.example/x" },
# ]
# ///
