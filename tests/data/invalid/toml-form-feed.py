# /// script
# dependencies = []
# ///
