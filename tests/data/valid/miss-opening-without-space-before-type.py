# ///script
# dependencies = ["demo"]
# ///
