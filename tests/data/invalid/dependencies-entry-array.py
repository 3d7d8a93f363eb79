# /// script
# dependencies = ["demo",
#   ["other"]]
# ///
