# /// script
# dependencies = ["demo"]
# ///
# /// script
print(1)
