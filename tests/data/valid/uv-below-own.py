# /// script
# dependencies = ["a"]
# [tool.uv]
# exclude-newer = "7 days"
# no-build = true
# sources = { a = { path = "a" }, b = { path = "b" } }
# [tool.scriptrun]
# exclude-newer = "2025-01-01"
# sources.A = { path = "/own/a", editable = true }
# ///
