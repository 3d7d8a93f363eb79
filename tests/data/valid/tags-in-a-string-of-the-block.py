# /// script
# dependencies = ["demo"]
# [tool.x]
# s = """
# ///
# /// script
# """
# ///
