# /// script
# dependencies = ["demo"]
# ///
# foo
# ///
print(1)