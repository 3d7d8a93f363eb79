# /// script
# dependencies = [""]
# ///
