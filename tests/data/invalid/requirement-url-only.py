# /// script
# dependencies = ["https://user:secret@example.org/demo.zip"]
# ///
