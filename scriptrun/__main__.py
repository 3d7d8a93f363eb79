"""Start the part of scriptrun that is written in Python; bytecode of this file is never cached, so it is short."""

import os
import sys

if sys.flags.no_site:  # started by the launcher, which spares `site` where an environment is ready
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from scriptrun.decide import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
