# /// script
# tool.uv.exclude-dependencies = ["x"]
# ///
