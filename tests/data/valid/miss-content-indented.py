# /// script
 # dependencies = []
# ///
