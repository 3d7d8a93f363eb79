# /// script
#
# dependencies = ["demo"]
#
# [tool.black]
# line-length = 20
# ///
