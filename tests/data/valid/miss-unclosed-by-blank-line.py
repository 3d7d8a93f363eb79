# /// script
# dependencies = [
#   'demo',
# ]

# ///

import demo
