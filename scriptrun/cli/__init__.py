"""The commands, one module each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from scriptrun.arguments import Invocation


def command(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what a command line without a program asks for, and return the exit status. Raises ScriptrunError."""
    name = invocation.target if invocation.action == "command" else "about"
    module = importlib.import_module(f"scriptrun.cli.{name}")
    status: int = module.main(invocation, environ)
    return status
