# /// script
# dependencies = 42
# ///
