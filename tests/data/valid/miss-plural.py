x = 1

# /// scripts
# dependencies = ["demo"]
# ///
