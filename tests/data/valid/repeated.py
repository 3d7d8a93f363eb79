# /// script
# dependencies = ["demo", "demo==1.0"]
# ///
