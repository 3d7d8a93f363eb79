# /// script
# [tool.scriptrun]
# no_index = true
# frob = 1
# explain = true
# ///
