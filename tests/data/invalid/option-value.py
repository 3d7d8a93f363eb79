# /// script
# tool.scriptrun.python = 3.12
# ///
