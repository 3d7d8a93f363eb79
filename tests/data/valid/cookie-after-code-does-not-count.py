x = 1
# coding: ascii
# /// script
# [tool.x]
# s = "é"
# ///
