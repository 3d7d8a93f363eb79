# /// script
# dependencies = ["demo"]
# ///
# /// documentation
print(1)
