# coding=latin-1
# /// script
# [tool.x]
# s = "…"
# ///
