# /// script 
# dependencies = ["demo"]
# ///
