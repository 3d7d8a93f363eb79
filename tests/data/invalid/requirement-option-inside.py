# /// script
# dependencies = ["demo --hash=sha256:00"]
# ///
