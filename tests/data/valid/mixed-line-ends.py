x = 1
# /// script
# dependencies = [#   'demo',
#   'other']
# ///
x = 2
