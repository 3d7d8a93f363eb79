# /// script
# [tool.uv]
# exclude-newer = "1 month"
# ///
