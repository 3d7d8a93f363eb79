# /// script
# [tool.scriptrun]
# constraint = 'c.txt'
# ///
