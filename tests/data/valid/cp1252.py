
# coding: cp1252
# /// script
# [tool.x]
# s = "€"
# ///
