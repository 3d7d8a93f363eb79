# /// script
# requires-python = '>=3'
# dependencies = 4
# [tool.x]
# dependencies = 5
# ///
