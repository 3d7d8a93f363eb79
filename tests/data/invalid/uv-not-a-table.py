# /// script
# tool.uv = true
# ///
