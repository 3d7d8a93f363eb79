#!/usr/bin/env python3
"""Sessions, listed before the block."""

# /// script
# dependencies = ["nox>=1", "demo"]
# ///

import nox


@nox.session
def tests(session):
    session.run("pytest")


if __name__ == "__main__":
    nox.main()
