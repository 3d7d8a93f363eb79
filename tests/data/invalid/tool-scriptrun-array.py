# /// script
# [tool.x]
# [[tool.scriptrun]]
# pre = true
# ///
