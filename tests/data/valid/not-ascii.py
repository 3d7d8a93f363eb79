# é ☃
# /// script
# # café ☃
# dependencies = ["demo"]
# [tool.x]
# s = "☃"
# ///
