# /// script
# [tool.scriptrun]
# exclude-newer = 2026-01-31
# ///
