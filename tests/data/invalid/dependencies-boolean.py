# /// script
# dependencies = true
# ///
