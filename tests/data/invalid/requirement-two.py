# /// script
# dependencies = ["demo, other"]
# ///
