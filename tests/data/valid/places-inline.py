# /// script
# a = {b = [{c = 1}, [2, "]"]], "dependencies" = 3}
# [[tool.x]]
# dependencies = 3
# [[tool.x]]
# "]" = 1979-05-27 07:32:00
# ///
