# /// script
# [tool.scriptrun]
# with-requirements = [
#   "a.txt",
#   "a\u0000b",
# ]
# ///
