"""What was there before scriptrun was registered, noted before anything is changed, and how it is restored.

A list that is still as it was left gets its former bytes; from one that others have changed only what is scriptrun's
goes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scriptrun import paths
from scriptrun.desktop.freedesktop import associations, databases, files, handler, mime_type, mimeapps
from scriptrun.desktop.freedesktop.mimeapps import Association
from scriptrun.desktop.freedesktop.scope import Scope

_FORMAT = 1


@dataclass(frozen=True)
class Change:
    """A list that is changed: what it holds before and after (None: it is not there), and what is new in it."""

    path: str
    before: bytes | None
    after: bytes | None
    added: tuple[Association, ...]


@dataclass(frozen=True)
class _Journal:
    """What was there: directories that were not, what files held, the states of databases; and the changes of lists."""

    directories: list[str]
    files: dict[str, bytes | None]
    databases: list[dict[str, Any]]
    changes: list[Change]


def note(where: Scope, written: Iterable[str], changes: Sequence[Change], leavings: Iterable[str]) -> None:
    """Write the journal, before the files that are `written`, and the `changes`. Raises OSError."""
    before = {path: files.read(path) for path in written}
    missing = files.missing_directories([*before, *(one.path for one in changes), where.journal])
    states = [databases.state(database) for database in databases.of(where.data)]
    directories = sorted({*missing, *filter(os.path.isdir, leavings)})
    _write(where, _Journal(directories, before, states, [*changes]))


def note_loss(where: Scope) -> None:
    """Write a journal where it has gone: nothing was there before, and databases are made anew. Raises OSError."""
    lists = (os.path.join(where.configuration, name) for _, name in associations.lists(where.session))
    found = [(path, content) for path in lists if (content := files.read(path)) is not None]
    changes = [Change(path, content, None, _for_scripts(content)) for path, content in found]
    lost = dict.fromkeys(handler.own(where.data))
    _write(where, _Journal([], lost, [databases.UNKNOWN for _ in databases.of(where.data)], changes))


def take_back(where: Scope, environ: Mapping[str, str]) -> list[str]:
    """Restore what the journal says, if there is one, and remove it; return the directories that need not stay.

    One that is damaged, or another scriptrun's, is as good as lost. Raises ScriptrunError and OSError.
    """
    if not os.path.exists(where.journal):
        return []
    journal = _read(where)
    if journal is None:
        note_loss(where)
        return take_back(where, environ)
    for one in journal.changes:
        files.restore(one.path, _without(one))
    for path, before in journal.files.items():
        files.restore(path, before)
    for database, state in zip(databases.of(where.data), journal.databases, strict=True):
        databases.restore(database, state, environ)
    tell_of_icons(where)
    os.unlink(where.journal)
    return journal.directories


def tell_of_icons(where: Scope) -> None:
    """Let desktops look at the icons again: they look at the time of the theme's directory."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(os.path.join(where.data, "icons", "hicolor"))


def _for_scripts(content: bytes) -> tuple[Association, ...]:
    """Return what a list has for scripts."""
    found = ((section, types.get(mime_type.TYPE, [])) for section, types in mimeapps.read(content).items())
    return tuple(Association(section, mime_type.TYPE, one) for section, applications in found for one in applications)


def _without(changed: Change) -> bytes | None:
    """Return what a list is to hold again, None: there is to be none. What others have written stays."""
    now = files.read(changed.path)
    if now is None or now == changed.after:
        return changed.before if now is not None else None
    for association in changed.added:
        now = mimeapps.take(now, association)
    for section, types in mimeapps.read(now).items():
        for type_, applications in types.items():
            if handler.NAME in applications:
                now = mimeapps.take(now, Association(section, type_, handler.NAME))
    return now if now.strip() or changed.before is not None else None


def _write(where: Scope, journal: _Journal) -> None:
    facts = {
        "format": _FORMAT,
        "directories": journal.directories,
        "files": {path: _encoded(content) for path, content in journal.files.items()},
        "databases": journal.databases,
        "lists": [[one.path, _encoded(one.before), _encoded(one.after), one.added] for one in journal.changes],
    }
    paths.replace(where.journal, json.dumps(facts).encode())


def _read(where: Scope) -> _Journal | None:
    """Return the journal, None where what is in its place is none that this scriptrun has written. Raises OSError."""
    try:
        facts = json.loads(paths.read(where.journal))
        if facts["format"] != _FORMAT:
            return None
        return _Journal(
            facts["directories"],
            {path: _decoded(content) for path, content in facts["files"].items()},
            facts["databases"],
            [
                Change(path, _decoded(before), _decoded(after), tuple(Association(*one) for one in added))
                for path, before, after, added in facts["lists"]
            ],
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _decoded(encoded: str | None) -> bytes | None:
    return None if encoded is None else base64.b64decode(encoded)
