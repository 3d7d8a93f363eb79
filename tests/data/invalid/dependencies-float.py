# /// script
# dependencies = 1.5
# ///
