# /// script
# [tool.scriptrun]
# sources = ["x"]
# ///
