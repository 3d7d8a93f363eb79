# /// script
# [tool.scriptrun]
# with = [
#  'demo',
#  '-e .']
# ///
