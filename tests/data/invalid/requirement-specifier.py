# /// script
# dependencies = ["demo>=1.*"]
# ///
