S = """
# /// script
# ///
"""
# /// script
# ///
