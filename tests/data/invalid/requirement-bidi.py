# /// script
# dependencies = ["demo‮"]
# ///
