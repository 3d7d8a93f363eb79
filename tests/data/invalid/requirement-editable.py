# /// script
# dependencies = ["-e ."]
# ///
