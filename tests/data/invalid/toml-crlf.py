# /// script
#
# dependencies = ['a' 'b']
# ///
