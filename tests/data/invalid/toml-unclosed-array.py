# /// script
# dependencies = [
#   'demo',
# ///
