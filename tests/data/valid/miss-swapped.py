# /// scritp
# dependencies = ["demo"]
# ///
