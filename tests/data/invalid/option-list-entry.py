# /// script
# [tool.scriptrun]
# constraint = ['c.txt',
# 3]
# ///
