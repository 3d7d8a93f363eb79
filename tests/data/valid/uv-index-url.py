# /// script
# [tool.uv]
# index-url = "simple"
# no-index = false
# prerelease = "if-necessary-or-explicit"
# exclude-newer = false
# index-strategy = "first-index"
# ///
