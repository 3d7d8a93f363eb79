#	/// script
# dependencies = ["demo"]
# ///
