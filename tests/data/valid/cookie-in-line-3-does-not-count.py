#
#
# coding: ascii

# /// script
# [tool.x]
# s = "é"
# ///
