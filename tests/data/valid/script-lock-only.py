# /// script-lock
# x = 1
# ///
