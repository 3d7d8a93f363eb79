"""`scriptrun python list` and `scriptrun python find SCRIPT`: which Pythons there are, and which one a script gets."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict

from scriptrun import arguments, interpreters, paths, request, resolve
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError, escape

_SUBCOMMANDS = ("list", "find")


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the words after `python` ask for. Raises ScriptrunError."""
    words, options, flags = arguments.parse_command(invocation.arguments, invocation.options, ("--json",))
    if words == ["list"]:
        return _list(environ, as_json="--json" in flags)
    if len(words) == 2 and words[0] == "find":
        wanted = resolve.resolve(request.read(Invocation("script", words[1], [], options), environ), environ)
        content = asdict(wanted.choice.interpreter) | {"reason": wanted.choice.reason}
        text = json.dumps(content, indent=2) if "--json" in flags else wanted.choice.interpreter.path
        sys.stdout.write(f"{text}\n")
        return 0
    if words and words[0] not in _SUBCOMMANDS:
        raise arguments.unknown("command", f"python {words[0]}", [f"python {name}" for name in _SUBCOMMANDS])
    raise UsageError("`scriptrun python` takes `list` or `find SCRIPT`")


def _list(environ: Mapping[str, str], *, as_json: bool) -> int:
    cache, _ = paths.open_cache(environ)
    found = interpreters.installed(cache, environ)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        for one in found:
            kind = one.implementation + ("t" if one.free_threaded else "")
            sys.stdout.write(f"{kind:<10} {one.version:<10} {escape(one.path)}\n")
    return 0
