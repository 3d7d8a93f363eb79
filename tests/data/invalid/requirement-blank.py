# /// script
# dependencies = ["demo",
#  " "]
# ///
