"""What was there before scriptrun was registered, noted before anything is changed, and how it is restored.

A list that is still as it was left gets its former bytes; from one that others have changed only what is scriptrun's
goes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from scriptrun import paths
from scriptrun.desktop.freedesktop import associations, databases, handler, mime_type, mimeapps
from scriptrun.desktop.freedesktop.mimeapps import Association
from scriptrun.desktop.freedesktop.scope import Scope
from scriptrun.editing import document


def note(where: Scope, files: Mapping[str, bytes], lists: list[dict[str, Any]], leavings: list[str]) -> None:
    """Write the journal."""
    targets = [*files, *(one["path"] for one in lists), where.journal]
    journal = {
        "directories": [*missing(targets), *(path for path in leavings if os.path.isdir(path))],
        "files": {path: encode(read(path)) for path in files},
        "databases": [databases.state(database) for database in databases.of(where.data)],
        "lists": lists,
    }
    paths.replace(where.journal, json.dumps(journal).encode())


def note_loss(where: Scope) -> None:
    """Write a journal where it has gone: nothing was there before, the databases are to be made anew."""
    lists = [
        {"path": path, "before": encode(content), "after": None, "added": _for_scripts(content)}
        for path in (os.path.join(where.configuration, name) for _, name in associations.lists(where.session))
        if (content := read(path)) is not None
    ]
    journal = {
        "directories": [],
        "files": {os.path.join(where.data, path): None for path in handler.PLACES},
        "databases": [{"sources": None} for _ in databases.of(where.data)],
        "lists": lists,
    }
    paths.replace(where.journal, json.dumps(journal).encode())


def _for_scripts(content: bytes) -> list[Association]:
    """Return what a list has for scripts."""
    found = ((section, types.get(mime_type.TYPE, [])) for section, types in mimeapps.read(content).items())
    return [Association(section, mime_type.TYPE, one) for section, applications in found for one in applications]


def take_back(where: Scope, environ: Mapping[str, str]) -> list[str]:
    """Restore what the journal says, if there is one, and remove it; return the directories that need not stay."""
    content = read(where.journal)
    if content is None:
        return []
    journal = json.loads(content)
    for one in journal["lists"]:
        _restore(one["path"], _without(one))
    for path, before in journal["files"].items():
        _restore(path, decode(before))
    for database, state in zip(databases.of(where.data), journal["databases"], strict=True):
        databases.restore(database, state, environ)
    tell_of_icons(where)
    os.unlink(where.journal)
    directories: list[str] = journal["directories"]
    return directories


def _without(changed: Mapping[str, Any]) -> bytes | None:
    """Return what a list is to hold again, None: there is to be none. What others have written stays."""
    now, before = read(changed["path"]), decode(changed["before"])
    if now is None or now == decode(changed["after"]):
        return before if now is not None else None
    for association in changed["added"]:
        now = mimeapps.take(now, Association(*association))
    for section, types in mimeapps.read(now).items():
        for type_, applications in types.items():
            if handler.NAME in applications:
                now = mimeapps.take(now, Association(section, type_, handler.NAME))
    return now if now.strip() or before is not None else None


def put(path: str, content: bytes) -> None:
    """Let the file at `path` hold `content`, whole."""
    if os.path.exists(path):
        document.write(document.read(path), content)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        document.create(path, content, 0o666)


def _restore(path: str, content: bytes | None) -> None:
    if content is not None:
        put(path, content)
    elif os.path.lexists(path):
        os.unlink(path)


def tell_of_icons(where: Scope) -> None:
    """Let desktops look at the icons again: they look at the time of the theme's directory."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(os.path.join(where.data, "icons", "hicolor"))


def missing(targets: list[str]) -> list[str]:
    """Return the directories that are not there and in which files are to be."""
    found = set()
    for path in targets:
        directory = os.path.dirname(path)
        while not os.path.isdir(directory):
            found.add(directory)
            directory = os.path.dirname(directory)
    return sorted(found)


def remove_directories(directories: list[str]) -> None:
    """Remove those that are empty."""
    for directory in sorted(directories, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def read(path: str) -> bytes | None:
    """Return what a file holds, None where there is none. Raises OSError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def encode(content: bytes | None) -> str | None:
    """Return bytes as the journal holds them."""
    return None if content is None else base64.b64encode(content).decode()


def decode(encoded: str | None) -> bytes | None:
    """Return the bytes that the journal holds."""
    return None if encoded is None else base64.b64decode(encoded)
