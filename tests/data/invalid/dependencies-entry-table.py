# /// script
# dependencies = ["demo", {name = "other"}]
# ///
