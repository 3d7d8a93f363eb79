#/// script
# dependencies = ["demo"]
# ///
