# /// script
# [tool.uv]
# index-url = "https://never.example/"
# extra-index-url = ["https://third.example/", "local"]
# [[tool.uv.index]]
# url = "https://ada:secret@last.example/"
# default = true
# [[tool.uv.index]]
# name = "first"
# url = "https://first.example/"
# [[tool.uv.index]]
# name = "hidden"
# url = "../hidden dir"
# explicit = true
# [[tool.uv.index]]
# url = "./links"
# format = "flat"
# ///
