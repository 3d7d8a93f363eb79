# coding: shift_jis
# /// script
# [tool.x]
# s = '表示'
# ///
