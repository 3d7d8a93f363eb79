"""`scriptrun desktop …`: open scripts by a double click; one module for each word that may follow."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from scriptrun import arguments
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError

OPTIONS: dict[str, frozenset[str]] = {
    "add": frozenset({"--name", "--icon", "--autostart", "--on-desktop"}),
    "install": frozenset({"--default", "--system"}),
    "open": frozenset(),
    "remove": frozenset(),
    "report": frozenset(),
    "status": frozenset({"--json"}),
    "uninstall": frozenset({"--system"}),
}
"""The words, each with the options that it takes, of those that the command line knows for `desktop`."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the word after `desktop` asks for, and return the exit status. Raises ScriptrunError."""
    words = invocation.arguments
    if not words:
        raise UsageError("`scriptrun desktop` takes a word more", hint=f"one of: {', '.join(OPTIONS)}")
    name = words[0]
    if name not in OPTIONS:
        raise arguments.unknown("command", f"desktop {name}", [f"desktop {one}" for one in OPTIONS])
    for option in invocation.extra:
        if option not in OPTIONS[name]:
            raise UsageError(
                f"`scriptrun desktop {name}` has no option `{option}`", hint="`scriptrun --help` shows them"
            )
    module = importlib.import_module(f"scriptrun.cli.desktop.{name}")
    status: int = module.main(invocation, environ)
    return status
