# /// script
# dependencies = [
#   "demo",
#   "this is no requirement",
# ]
# ///
