# /// script
# dependencies = ["--target=/x"]
# ///
