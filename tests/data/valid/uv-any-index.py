# /// script
# [tool.uv]
# extra-index-url = ["https://extra.example/"]
# index-strategy = "unsafe-best-match"
# no-binary = true
# prerelease = "disallow"
# exclude-newer = "PT36H"
# ///
