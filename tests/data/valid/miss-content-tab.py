# /// script
#	dependencies = []
# ///
