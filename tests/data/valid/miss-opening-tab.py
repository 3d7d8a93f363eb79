# /// script	
# dependencies = ["demo"]
# ///
