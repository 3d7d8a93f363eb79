# /// script
# dependencies = ["only-early"]
# [tool.uv]
# prerelease = "disallow"
# ///
