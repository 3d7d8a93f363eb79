# /// script
# # nothing here
#
# ///
