# ///  script
# dependencies = ["demo"]
# ///
