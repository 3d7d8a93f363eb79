# /// script
# [tool.uv.sources.a]
# path = "a"
# branch = "b"
# ///
