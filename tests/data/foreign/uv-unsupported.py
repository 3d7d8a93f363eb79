# /// script
# dependencies = []
# [tool.uv]
# required-version = ">=0.5"
# resolution = "lowest-direct"
# prerelease = "explicit"
# exclude_newer = "7 days"
# [[tool.uv.index]]
# url = "https://index.example/simple/"
# authenticate = "always"
# [tool.uv.pip]
# strict = true
# ///
print("ran")
