# coding: latin-1
# /// script
# dependencies = ["demo"] # é
# [tool.x]
# s = "é"
# ///
