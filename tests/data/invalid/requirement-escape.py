# /// script
# dependencies = ["demo\u001b[31m"]
# ///
