"""`scriptrun desktop status`: what opens scripts and other Python files, and whether that can work."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.cli import table
from scriptrun.cli.desktop import entries
from scriptrun.desktop import dialogs
from scriptrun.desktop.freedesktop import associations, handler, menu, mime_type, registration, scope


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print it as a table, or with `--json` as an object. Raises ScriptrunError.

    The object has `installed`, `scripts` and `python`, each of the two with `type` and `opens-with` (the name of an
    entry, null: none), `user` and `system`, each with what is registered there, `entries`: those of single scripts, and
    `windows`, what would show them (null: nothing).
    """
    session = associations.of_user(environ)
    registered = {key: _registered(environ, system=system) for key, system in (("user", False), ("system", True))}
    facts = {
        "installed": any(one["installed"] for one in registered.values()),
        "scripts": _opened(session, mime_type.TYPE if mime_type.is_known(session.data) else mime_type.PYTHON),
        "python": _opened(session, mime_type.PYTHON),
        **registered,
        "entries": [entries.described(one) for one in menu.entries(environ)],
        "windows": dialogs.toolkit(environ) or None,
    }
    output.give(json.dumps(facts, indent=2) + "\n" if "--json" in invocation.extra else _table(facts, session))
    return 0


def _opened(session: associations.Session, type_: str) -> dict[str, Any]:
    return {"type": type_, "opens-with": associations.default(session, type_) or None}


def _registered(environ: Mapping[str, str], *, system: bool) -> dict[str, Any]:
    """Return whether scriptrun is registered there, the program of its entry, and what is wrong."""
    where = scope.of(environ, system=system)
    here = associations.Session((where.configuration,), (where.data,), (), where.session.path)
    program = handler.program(here)
    known = mime_type.is_known([where.data])
    wrong = []
    if program and not os.access(program, os.X_OK):
        wrong.append(f"`{program}` is not there any more")
    if program and not known:
        wrong.append("the database of MIME types does not know scripts")
    if bool(program) != registration.is_noted(where) or known > bool(program):
        wrong.append("only a part of it is there")
    return {"installed": bool(program), "program": program or None, "type-known": known, "wrong": wrong}


def _table(facts: Mapping[str, Any], session: associations.Session) -> str:
    rows = [(what, _named(session, facts[key]["opens-with"])) for what, key in _OPENED]
    for what, key in (("for you", "user"), ("for everybody", "system")):
        registered = facts[key]
        rows.append((what, registered["program"] or "not installed"))
        rows += [("", f"{wrong}; install it again") for wrong in registered["wrong"]]
    rows += [entries.row(one) for one in facts["entries"]]
    rows.append(("windows are shown by", facts["windows"] or "nothing"))
    return table.lay_out((), rows, (1,))


_OPENED = (("scripts open with", "scripts"), ("other Python files open with", "python"))


def _named(session: associations.Session, name: str | None) -> str:
    """Return an application as people know it."""
    return f"{associations.entry(session, name).get('Name', name)} ({name})" if name else "nothing"
