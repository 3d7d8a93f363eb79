# /// script
# dependencies = ["demo"]
# # café
# ///
