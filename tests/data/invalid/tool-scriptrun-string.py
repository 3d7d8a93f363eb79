# /// script
# [tool]
# x = 1
# scriptrun = 'x'
# ///
