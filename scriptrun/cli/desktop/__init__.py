"""`scriptrun desktop …`: open scripts by a double click; one module for each word that may follow."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

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

_OTHERS = {"darwin": "macos", "win32": "windows"}
"""The platforms that have a module for all words of theirs."""


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
    main_of_word = _elsewhere(name) or importlib.import_module(f"scriptrun.cli.desktop.{name}").main
    status: int = main_of_word(invocation, environ)
    return status


def _elsewhere(name: str) -> Any:
    """Return what does the work of a word on a desktop that is none of freedesktop.org's, None where this is one."""
    if sys.platform not in _OTHERS:
        return None
    return importlib.import_module(f"scriptrun.cli.desktop.{_OTHERS[sys.platform]}").VERBS.get(name)
