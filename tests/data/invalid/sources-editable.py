# /// script
# [tool.uv.sources]
# a = { path = "a", editable = "yes" }
# ///
