# /// script
# dependencies = ["demo @ ../local"]
# ///
