# /// script
# title = '''
# dependencies = 3
# [tool.scriptrun]'''''
# s = """"a" \""""" # dependencies
# requires-python = ">=3"
# dependencies = ["demo",
#
# "other"]
# ///
