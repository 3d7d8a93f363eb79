TEXT = """
# /// script
# dependencies = ["demo"]
# ///
"""
