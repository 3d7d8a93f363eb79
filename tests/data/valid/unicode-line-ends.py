# /// script
# dependencies = ["demo"]
# [tool.x]
# s = "a bcdef g"
# t = 1
# ///
