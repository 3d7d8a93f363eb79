"""`scriptrun cache …`: what the cache holds, and keeping it in bounds; one module for each word that may follow."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from scriptrun import arguments
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError

OPTIONS: dict[str, frozenset[str]] = {
    "clear": frozenset({"--grace"}),
    "dir": frozenset(),
    "list": frozenset({"--json", "--sort"}),
    "prune": frozenset({"--dry-run", "--older-than", "--max-size", "--all", "--grace"}),
    "size": frozenset({"--json"}),
    "verify": frozenset({"--repair"}),
}
"""The words, each with the options that it takes, of those that the command line knows for `cache`."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the word after `cache` asks for, and return the exit status. Raises ScriptrunError."""
    words = invocation.arguments
    if not words:
        raise UsageError("`scriptrun cache` takes a word more", hint=f"one of: {', '.join(OPTIONS)}")
    name = words[0]
    if name not in OPTIONS:
        raise arguments.unknown("command", f"cache {name}", [f"cache {one}" for one in OPTIONS])
    if len(words) > 1:
        raise UsageError(f"`scriptrun cache {name}` takes no `{words[1]}`", hint="`scriptrun --help` shows its form")
    for option in invocation.extra:
        if option not in OPTIONS[name]:
            raise UsageError(f"`scriptrun cache {name}` has no option `{option}`", hint="`scriptrun --help` shows them")
    module = importlib.import_module(f"scriptrun.cli.cache.{name}")
    status: int = module.main(invocation, environ)
    return status
