#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["rich>=13"]
# ///
"""Greet somebody in a frame: `./hello.py [NAME]`."""

import platform
import sys

from rich.console import Console
from rich.panel import Panel
from rich.text import Text


def greeting(name: str) -> Panel:
    """Return the greeting, ready to be printed."""
    text = Text.assemble("Hello, ", (name, "bold green"), "!")
    return Panel.fit(text, subtitle=f"Python {platform.python_version()}", padding=(1, 6))


if __name__ == "__main__":
    Console().print(greeting(sys.argv[1] if len(sys.argv) > 1 else "world"))
