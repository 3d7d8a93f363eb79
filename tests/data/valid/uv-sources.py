# /// script
# [[tool.uv.index]]
# name = "private"
# url = "https://private.example/"
# explicit = true
# [tool.uv.sources]
# Some_Name = { path = "../with space", editable = true, package = true }
# file = { path = "/abs/file-1.0-py3-none-any.whl" }
# plain = { git = "https://git.example/x" }
# branch = { git = "ssh://git@git.example/x", branch = "a/b" }
# tag = { git = "git+https://git.example/x.git", tag = "v1", subdirectory = "a/b", lfs = true }
# commit = { git = "https://git.example/x", rev = "0123" }
# url = { url = "https://files.example/x.zip", subdirectory = "a" }
# hashed = { url = "https://files.example/x.zip#sha256=00", subdirectory = "a" }
# routed = { index = "private" }
# direct = { index = "https://direct.example/" }
# many = [
#   { path = "one", marker = "sys_platform == 'win32'" },
#   { index = "private", marker = "python_version < '3.12'" },
#   { git = "https://git.example/x", group = "dev" },
# ]
# extra = { path = "x", extra = "cpu" }
# ///
