# Preamble.
#

# /// script
#
# unspecified_value = # comment
# ///
