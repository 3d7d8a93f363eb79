# /// script
# [tool.uv]
# prerelease = "yes"
# ///
