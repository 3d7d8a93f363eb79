# /// script
# [tool.scriptrun]
# exclude-newer = 'yesterday'
# ///
