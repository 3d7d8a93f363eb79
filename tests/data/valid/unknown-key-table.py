# /// script
# dependencies = []
# [tools.scriptrun]
# pre = true
# ///
