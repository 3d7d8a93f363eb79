# /// script
# [tool.uv.sources]
# a = { git = "git@git.example:x/y" }
# ///
