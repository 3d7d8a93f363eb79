# /// script
# requires-python = not valid toml
# ///
