# /// script
# dependencies = []
# [tool.black]
# line-length = 20
# [tool.uv]
# python = 3
# ///
