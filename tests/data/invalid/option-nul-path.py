# /// script
# [tool.scriptrun]
# python = "./a\u0000b"
# ///
