# /// script
# tool = 3
# ///
