# /// foo
# x
# /// script
# dependencies = ["demo"]
# ///
