# /// script
# dependencies = ["./local"]
# ///
