# /// script
# [tool.uv]
# exclude-newer = true
# ///
