"""`scriptrun desktop …`: open scripts by a double click; one module for each word that may follow."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

from scriptrun.arguments import Invocation
from scriptrun.cli import words
from scriptrun.cli.words import Word

_WORDS = {
    "add": Word(frozenset({"--name", "--icon", "--autostart", "--on-desktop"}), more=True),
    "install": Word(frozenset({"--default", "--system"})),
    "open": Word(more=True),
    "remove": Word(more=True),
    "report": Word(more=True, hidden=True),
    "status": Word(frozenset({"--json"})),
    "uninstall": Word(frozenset({"--system"})),
}

_OTHERS = {"darwin": "macos", "win32": "windows"}
"""The platforms that have a module for all words of theirs."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the word after `desktop` asks for, and return the exit status. Raises ScriptrunError."""
    name = words.chosen("desktop", _WORDS, invocation)
    main_of_word = _elsewhere(name) or importlib.import_module(f"scriptrun.cli.desktop.{name}").main
    status: int = main_of_word(invocation, environ)
    return status


def _elsewhere(name: str) -> Any:
    """Return what does the work of a word on a desktop that is none of freedesktop.org's, None where this is one."""
    if sys.platform not in _OTHERS:
        return None
    return importlib.import_module(f"scriptrun.cli.desktop.{_OTHERS[sys.platform]}").VERBS.get(name)
