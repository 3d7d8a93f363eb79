# /// script
# [tool.x]
# pre = 1
# [tool.scriptrun]
# pre = 1
# ///
