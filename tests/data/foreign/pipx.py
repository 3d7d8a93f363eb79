#!/usr/bin/env -S pipx run --path

# SPDX-License-Identifier: MIT
#
# A comment of several lines, and then the block.

# /// script
# dependencies = ["demo ~= 1.0", 'other; python_version >= "3.8"', "none-such ; os_name == 'none'"]
# ///

from __future__ import annotations

try:
    import demo
    import other
except ModuleNotFoundError:
    raise SystemExit("run it with pipx") from None

print("demo", demo.V, "other", other.V)
