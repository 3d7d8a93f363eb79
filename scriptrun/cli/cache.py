"""`scriptrun cache dir`: where environments are kept."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import arguments, output, paths
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError

_SUBCOMMANDS = ("dir",)


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the words after `cache` ask for. Raises UsageError and CacheError."""
    words = invocation.arguments
    if words == ["dir"]:
        output.give(f"{paths.open_cache(environ)[0]}\n")
        return 0
    if words and words[0] not in _SUBCOMMANDS:
        raise arguments.unknown("command", f"cache {words[0]}", [f"cache {name}" for name in _SUBCOMMANDS])
    raise UsageError("`scriptrun cache` takes `dir`, and nothing else", hint="scriptrun cache dir")
