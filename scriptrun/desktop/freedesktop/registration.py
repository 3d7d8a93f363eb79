"""Make scriptrun an application that opens scripts, and take that back.

Before anything is changed, a journal says what was there, so that all of it can be restored, also when this dies half
way: files, the databases that desktops make of them, directories, and the lists of which application opens what.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from scriptrun import locks
from scriptrun.desktop.freedesktop import associations, databases, handler, journal, mime_type, mimeapps
from scriptrun.desktop.freedesktop.associations import Session
from scriptrun.desktop.freedesktop.mimeapps import ADDED, DEFAULT, Association
from scriptrun.desktop.freedesktop.scope import Scope
from scriptrun.errors import ScriptrunError


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
        leavings.extend(journal.take_back(where, environ))
        lists = _lists(where, default=default)
        journal.note(where, files, lists, leavings)
        try:
            _apply(where, files, lists, environ)
        except BaseException:
            leavings.extend(journal.take_back(where, environ))
            raise


def uninstall(where: Scope, environ: Mapping[str, str]) -> bool:
    """Restore what was there before; tell whether anything was registered. Raises ScriptrunError."""
    if not is_noted(where) and not os.path.lexists(_entry(where)):
        return False
    with _alone(where) as leavings:
        if not os.path.exists(where.journal):
            journal.note_loss(where)
        leavings.extend(journal.take_back(where, environ))
    return True


def is_noted(where: Scope) -> bool:
    """Tell whether there is a journal, or at least a place for it that is closed to this user."""
    try:
        os.stat(where.journal)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _alone(where: Scope) -> Iterator[list[str]]:
    """Keep others from registering during the block, which is given a list for directories that need not stay.

    What the operating system refuses becomes a ScriptrunError.
    """
    lock = os.path.join(os.path.dirname(where.journal), "lock")
    leavings = journal.missing([lock])
    try:
        with locks.hold(lock, lambda: None):
            try:
                yield leavings
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(lock)
                if not os.path.exists(where.journal):
                    journal.remove_directories(leavings)
    except OSError as error:
        hint = "run it as root" if where.system else ""
        raise ScriptrunError(f"`{error.filename}` cannot be changed: {error.strerror}", hint=hint) from None


def _apply(where: Scope, files: Mapping[str, bytes], lists: list[dict[str, Any]], environ: Mapping[str, str]) -> None:
    """Write the files, and let desktops know them."""
    for path, content in files.items():
        journal.put(path, content)
    for database in databases.of(where.data):
        databases.update(database, environ)
    for one in lists:
        journal.put(one["path"], journal.decode(one["after"]) or b"")
    journal.tell_of_icons(where)


def _lists(where: Scope, *, default: bool) -> list[dict[str, Any]]:
    """Return the lists that have to change: path, what they hold before and after, and what is new in them."""
    changes = []
    for desktop, name in associations.lists(where.session):
        path = os.path.realpath(os.path.join(where.configuration, name))
        before = journal.read(path)
        after = before or b""
        added = []
        for association in _wanted(where, desktop, default=default):
            changed = mimeapps.put(after, association, first=association.section == DEFAULT)
            if association.application not in _applications(after, association):
                added.append(association)
            after = changed
        if after != (before or b""):
            changes.append(
                {"path": path, "before": journal.encode(before), "after": journal.encode(after), "added": added}
            )
    return changes


def _entry(where: Scope) -> str:
    return os.path.join(where.data, "applications", handler.NAME)


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


def _applications(content: bytes, association: Association) -> list[str]:
    return mimeapps.read(content).get(association.section, {}).get(association.type, [])
