# /// script
# [tool.uv]
# no-binary = ["x"]
# ///
