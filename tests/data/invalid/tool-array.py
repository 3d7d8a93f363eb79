# /// script
# dependencies = []
# [[tool]]
# x = 1
# ///
