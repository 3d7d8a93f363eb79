# /// script
#
# requires_python = '>=3.11'
# ///
