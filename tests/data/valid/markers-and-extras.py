# /// script
# dependencies = ["Demo[b, a] >= 1, < 2 ; python_version < '3.12'"]
# ///
