"""`scriptrun cache …`: what the cache holds, and keeping it in bounds; one module for each word that may follow."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from scriptrun.arguments import Invocation
from scriptrun.cli import words
from scriptrun.cli.words import Word

_WORDS = {
    "clear": Word(frozenset({"--grace"})),
    "dir": Word(),
    "list": Word(frozenset({"--json", "--sort"})),
    "prune": Word(frozenset({"--dry-run", "--older-than", "--max-size", "--all", "--grace"})),
    "size": Word(frozenset({"--json"})),
    "verify": Word(frozenset({"--repair"})),
}


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the word after `cache` asks for, and return the exit status. Raises ScriptrunError."""
    name = words.chosen("cache", _WORDS, invocation)
    status: int = importlib.import_module(f"scriptrun.cli.cache.{name}").main(invocation, environ)
    return status
