# /// script
# dependencies = ["demo; os == 'linux'"]
# ///
