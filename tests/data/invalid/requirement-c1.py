# /// script
# dependencies = ["demo31m"]
# ///
