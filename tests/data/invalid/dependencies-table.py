# /// script
# requires-python = ""
# [dependencies]
# six = "*"
# ///
