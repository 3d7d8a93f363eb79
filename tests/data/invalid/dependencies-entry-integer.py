# /// script
# dependencies = [
#   "demo", # ["
#
#   3,
# ]
# ///
