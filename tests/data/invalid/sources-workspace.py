# /// script
# [tool.scriptrun.sources]
# a = { workspace = true }
# ///
