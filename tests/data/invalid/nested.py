# Preamble.
#
# /// script
#
# /// future
# ///
