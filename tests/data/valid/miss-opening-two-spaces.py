#  /// script
# dependencies = ["demo"]
# ///
