# /// script
# [tool.uv.sources]
# a = { editable = true }
# ///
