# /// script
# [tool.uv]
# exclude-newer = "2025-12-31"
# find-links = ["wheels", "https://links.example/", "/abs"]
# no-build = true
# no-binary-package = ["lxml"]
# prerelease = "allow"
# resolution = "highest"
# constraint-dependencies = [
#   "idna[all]<4 ; python_version > '3'",
#   "six",
# ]
# override-dependencies = []
# ///
