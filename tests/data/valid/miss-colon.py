# /// script:
# dependencies = []
# ///
