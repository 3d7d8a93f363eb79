# /// script
# dependencies = ["demo @ file:local"]
# ///
