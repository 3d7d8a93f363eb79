# /// script foo
# dependencies = ["demo"]
# ///
