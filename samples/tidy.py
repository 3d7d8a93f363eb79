#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["ruff==0.11.*"]
# ///
"""Show what ruff would change in Python files: `./tidy.py FILE…`; the status is 1 if it is anything.

The command `ruff` comes from the environment of this script: it is found through PATH, and need not be installed.
"""

import subprocess
import sys

STEPS = {
    "imports": ["ruff", "check", "--quiet", "--isolated", "--select=I", "--diff"],
    "format": ["ruff", "format", "--quiet", "--isolated", "--diff"],
}


def main(files: list[str]) -> int:
    """Run each step, and say which of them would change something."""
    untidy = [name for name, command in STEPS.items() if subprocess.call([*command, "--", *files])]
    print("untidy: " + ", ".join(untidy) if untidy else "tidy", flush=True)
    return 1 if untidy else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
