# /// script
# [tool.uv]
# constraint-dependencies = [
#   "six",
#   "-r file",
# ]
# ///
