"""Make scriptrun an application that opens scripts, and take that back.

Before anything is changed, a journal says what was there, so that all of it can be restored, also when this dies half
way: files, the databases that desktops make of them, directories, and the lists of which application opens what.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scriptrun import locks, paths
from scriptrun.desktop import associations, databases, folders, handler, mime_type, mimeapps
from scriptrun.desktop.associations import Session
from scriptrun.desktop.mimeapps import ADDED, DEFAULT, Association
from scriptrun.editing import document
from scriptrun.errors import ScriptrunError


@dataclass(frozen=True)
class Scope:
    """For whom: where data, configuration and the journal are, and what programs find there before."""

    data: str
    configuration: str
    state: str
    session: Session
    system: bool

    @property
    def journal(self) -> str:
        """The path of the journal."""
        return os.path.join(self.state, "scriptrun", "registration", "journal.json")


def scope(environ: Mapping[str, str], *, system: bool) -> Scope:
    """Return the scope of the machine or of the user."""
    data = handler.data_directory(environ, system=system)
    if system:
        return Scope(data, "/etc/xdg", "/var/lib", associations.of_machine(environ), system)
    own = folders.config_home(environ), folders.state_home(environ)
    return Scope(data, *own, associations.of_user(environ), system)


def install(where: Scope, environ: Mapping[str, str], *, default: bool) -> None:
    """Register scriptrun, as the application that opens scripts where it is to be the `default`.

    What was registered before is taken back first. Raises ScriptrunError, after which all is as it was.
    """
    if where.system:
        handler.refuse_private(environ)
    files = {os.path.join(where.data, path): content for path, content in handler.files(environ).items()}
    for database in databases.of(where.data):
        databases.require(database, environ)
    with _alone(where) as leavings:
        leavings.extend(_take_back(where, environ))
        _remove_directories(leavings)
        lists = _lists(where, default=default)
        _note_before(where, files, lists, leavings)
        try:
            _apply(where, files, lists, environ)
        except BaseException:
            leavings.extend(_take_back(where, environ))
            raise


def uninstall(where: Scope, environ: Mapping[str, str]) -> bool:
    """Restore what was there before; tell whether anything was registered. Raises ScriptrunError."""
    if not os.path.exists(where.journal):
        return False
    with _alone(where) as leavings:
        leavings.extend(_take_back(where, environ))
    return True


@contextlib.contextmanager
def _alone(where: Scope) -> Iterator[list[str]]:
    """Keep others from registering during the block, which is given a list for directories that need not stay.

    What the operating system refuses becomes a ScriptrunError.
    """
    lock = os.path.join(os.path.dirname(where.journal), "lock")
    leavings = _missing([lock])
    try:
        with locks.hold(lock, lambda: None):
            try:
                yield leavings
            finally:
                if not os.path.exists(where.journal):
                    os.unlink(lock)
                    _remove_directories(leavings)
    except OSError as error:
        hint = "run it as root" if where.system else ""
        raise ScriptrunError(f"`{error.filename}` cannot be changed: {error.strerror}", hint=hint) from None


def _apply(where: Scope, files: Mapping[str, bytes], lists: list[dict[str, Any]], environ: Mapping[str, str]) -> None:
    """Write the files, and let desktops know them."""
    for path, content in files.items():
        _put(path, content)
    for database in databases.of(where.data):
        databases.update(database, environ)
    for one in lists:
        _put(one["path"], _decoded(one["after"]) or b"")
    _tell_of_icons(where)


def _lists(where: Scope, *, default: bool) -> list[dict[str, Any]]:
    """Return the lists that have to change: path, what they hold before and after, and what is new in them."""
    changes = []
    for desktop, name in [("", "mimeapps.list"), *_own_lists(where.session)]:
        path = os.path.realpath(os.path.join(where.configuration, name))
        before = _content(path)
        after = before or b""
        added = []
        for association in _wanted(where, desktop, default=default):
            changed = mimeapps.put(after, association, first=association.section == DEFAULT)
            if association.application not in _applications(after, association):
                added.append(association)
            after = changed
        if after != (before or b""):
            changes.append({"path": path, "before": _encoded(before), "after": _encoded(after), "added": added})
    return changes


def _own_lists(session: Session) -> list[tuple[str, str]]:
    return [(desktop, f"{desktop}-mimeapps.list") for desktop in associations.desktops_with_lists(session)]


def _wanted(where: Scope, desktop: str, *, default: bool) -> Iterator[Association]:
    """Yield what is to stand in the list of a desktop, or in that of all (`""`).

    Scripts open with scriptrun, or go on to open with what opens Python files. Of the latter the user is offered
    scriptrun, where that does not make it their default; a machine's list cannot say that without overruling users.
    """
    session = where.session.on(desktop) if desktop else where.session.on()
    editors = _editors(session)
    if desktop and editors[:1] == _editors(where.session.on())[:1]:
        return
    if default and not desktop:
        yield Association(DEFAULT, mime_type.TYPE, handler.NAME)
    elif editors and not default:
        yield Association(DEFAULT, mime_type.TYPE, editors[0])
    if not desktop:
        yield from (Association(ADDED, mime_type.TYPE, editor) for editor in editors)
    if editors and not where.system:
        if not associations.explicit(session, mime_type.PYTHON):
            yield Association(DEFAULT, mime_type.PYTHON, editors[0])
        if not desktop:
            yield Association(ADDED, mime_type.PYTHON, handler.NAME)


def _editors(session: Session) -> list[str]:
    """Return what else opens Python files, the default first."""
    return [one for one in associations.all_of(session, mime_type.PYTHON) if one != handler.NAME]


def _note_before(where: Scope, files: Mapping[str, bytes], lists: list[dict[str, Any]], leavings: list[str]) -> None:
    """Write the journal."""
    targets = [*files, *(one["path"] for one in lists), where.journal]
    journal = {
        "directories": [*_missing(targets), *(path for path in leavings if os.path.isdir(path))],
        "files": {path: _encoded(_content(path)) for path in files},
        "databases": [databases.state(database) for database in databases.of(where.data)],
        "lists": lists,
    }
    paths.replace(where.journal, json.dumps(journal).encode())


def _take_back(where: Scope, environ: Mapping[str, str]) -> list[str]:
    """Restore what the journal says, if there is one, and remove it; return the directories that need not stay."""
    content = _content(where.journal)
    if content is None:
        return []
    journal = json.loads(content)
    for one in journal["lists"]:
        _restore(one["path"], _without(one))
    for path, before in journal["files"].items():
        _restore(path, _decoded(before))
    for database, state in zip(databases.of(where.data), journal["databases"], strict=True):
        databases.restore(database, state, environ)
    _tell_of_icons(where)
    os.unlink(where.journal)
    directories: list[str] = journal["directories"]
    return directories


def _without(changed: Mapping[str, Any]) -> bytes | None:
    """Return what a list is to hold again, None: there is to be none. What others have written stays."""
    now, before = _content(changed["path"]), _decoded(changed["before"])
    if now is None or now == _decoded(changed["after"]):
        return before if now is not None else None
    for association in changed["added"]:
        now = mimeapps.take(now, Association(*association))
    for section, types in mimeapps.read(now).items():
        for type_, applications in types.items():
            if handler.NAME in applications:
                now = mimeapps.take(now, Association(section, type_, handler.NAME))
    return now if now.strip() or before is not None else None


def _put(path: str, content: bytes) -> None:
    """Let the file at `path` hold `content`, whole."""
    if os.path.exists(path):
        document.write(document.read(path), content)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        document.create(path, content, 0o666)


def _restore(path: str, content: bytes | None) -> None:
    if content is not None:
        _put(path, content)
    elif os.path.lexists(path):
        os.unlink(path)


def _tell_of_icons(where: Scope) -> None:
    """Let desktops look at the icons again: they look at the time of the theme's directory."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(os.path.join(where.data, "icons", "hicolor"))


def _missing(targets: list[str]) -> list[str]:
    """Return the directories that are not there and in which files are to be."""
    found = set()
    for path in targets:
        directory = os.path.dirname(path)
        while not os.path.isdir(directory):
            found.add(directory)
            directory = os.path.dirname(directory)
    return sorted(found)


def _remove_directories(directories: list[str]) -> None:
    """Remove those that are empty."""
    for directory in sorted(directories, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def _applications(content: bytes, association: Association) -> list[str]:
    return mimeapps.read(content).get(association.section, {}).get(association.type, [])


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _decoded(encoded: str | None) -> bytes | None:
    return None if encoded is None else base64.b64decode(encoded)
