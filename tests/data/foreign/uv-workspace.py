# /// script
# dependencies = ["library"]
# [tool.uv.sources]
# library = { workspace = true }
# ///
