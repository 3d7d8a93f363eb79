# /// script
# Requires-Python = '>=3.99'
# ///
