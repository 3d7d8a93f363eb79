# /// script
# dependencies = ["demo"]
# ///
#
# Additional description

import x
