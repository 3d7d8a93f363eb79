"""`scriptrun python list` and `scriptrun python find SCRIPT`: which Pythons there are, and which one a script gets."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scriptrun import arguments, interpreters, location, output, request, resolve
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError, escape

_SUBCOMMANDS = ("list", "find")


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the words after `python` ask for. Raises ScriptrunError."""
    words, as_json = invocation.arguments, "--json" in invocation.extra
    if words == ["list"]:
        text = _list(environ, as_json=as_json)
    elif len(words) == 2 and words[0] == "find":
        text = _find(arguments.script(words[1], invocation.options), environ, as_json=as_json)
    elif words and words[0] not in _SUBCOMMANDS:
        raise arguments.unknown("command", f"python {words[0]}", [f"python {name}" for name in _SUBCOMMANDS])
    else:
        raise UsageError("`scriptrun python` takes `list`, or `find` and a script", hint="scriptrun python find SCRIPT")
    output.give(text)
    return 0


def _list(environ: Mapping[str, str], *, as_json: bool) -> str:
    """Return the interpreters, newest first: as JSON, objects with path, implementation, version, abi and so on."""
    cache, _ = location.open_cache(environ)
    found = interpreters.installed(cache, environ)
    if as_json:
        return json.dumps([one._asdict() for one in found], indent=2) + "\n"
    kinds = [one.implementation + ("t" if one.free_threaded else "") for one in found]
    rows = zip(kinds, found, strict=True)
    return "".join(f"{kind:<10} {one.version:<10} {escape(one.path)}\n" for kind, one in rows)


def _find(wanted: Invocation, environ: Mapping[str, str], *, as_json: bool) -> str:
    """Return the path of the interpreter that a script gets; as JSON, an object like those of the list, with reason."""
    choice = resolve.resolve(request.read(wanted, environ), environ).choice
    if as_json:
        return json.dumps({**choice.interpreter._asdict(), "reason": choice.reason}, indent=2) + "\n"
    return f"{choice.interpreter.path}\n"
