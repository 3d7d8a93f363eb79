#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["rich"]
# ///
"""Tell where this runs, and on what: `report.py [TITLE]`."""

import os
import platform
import sys
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

table = Table(title=" ".join(sys.argv[1:]) or None)
table.add_column("what")
table.add_column("value")
table.add_row("user", str(os.geteuid()))
table.add_row("process", str(os.getpid()))
table.add_row("python", platform.python_version())
table.add_row("rich", version("rich"))
table.add_row("environment", os.path.relpath(sys.prefix, "/var/cache/scriptrun/v1/envs"))
Console().print(table)
