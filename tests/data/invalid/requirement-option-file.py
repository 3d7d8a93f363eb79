# /// script
# dependencies = ["-r requirements.txt"]
# ///
