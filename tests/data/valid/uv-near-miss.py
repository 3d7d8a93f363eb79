# /// script
# [tool.uv]
# find_links = ["x"]
# reinstall = true
# ///
