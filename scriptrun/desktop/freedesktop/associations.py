"""Which application opens files of a MIME type: what the lists of a desktop say, in the order that GIO asks them.

freedesktop.org "Association between MIME types and applications" 1.0.1; of a type that no list has an application for,
the types that it is a sub-class of are asked, as `gio mime TYPE` does.
"""

from __future__ import annotations

import glob
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from scriptrun.desktop import folders
from scriptrun.desktop.freedesktop import entry as entries
from scriptrun.desktop.freedesktop import mimeapps

_OWN_LIST = "mimeapps.list"
_DATA_LISTS = ("defaults.list", "mimeinfo.cache")
"""What older desktops wrote, and what `update-desktop-database` makes of the entries."""


@dataclass(frozen=True)
class Session:
    """Where lists and entries are looked for, the most important directory first.

    `desktops` are the names of the desktop, in lower case: its own lists count before the others of their directory.
    `path` is `PATH`: an application whose program is not there is passed over.
    """

    configuration: tuple[str, ...]
    data: tuple[str, ...]
    desktops: tuple[str, ...]
    path: str

    def on(self, *desktops: str) -> Session:
        """Return what is looked for on another desktop."""
        return replace(self, desktops=desktops)


def of_user(environ: Mapping[str, str]) -> Session:
    """Return the session of the user."""
    machine = of_machine(environ)
    current = environ.get("XDG_CURRENT_DESKTOP", "").lower()
    return replace(
        machine,
        configuration=(folders.config_home(environ), *machine.configuration),
        data=(folders.data_home(environ), *machine.data),
        desktops=tuple(name for name in current.split(os.pathsep) if name and os.sep not in name),
    )


def of_machine(environ: Mapping[str, str]) -> Session:
    """Return the session of a user who has chosen nothing, on a desktop without lists of its own."""
    path = environ.get("PATH", os.defpath)
    return Session(tuple(folders.config_directories(environ)), tuple(folders.data_directories(environ)), (), path)


def lists(session: Session) -> list[tuple[str, str]]:
    """Return the desktops that have lists of their own (`""`: all desktops), each with the name of its list."""
    directories = (*session.configuration, *(os.path.join(data, "applications") for data in session.data))
    found = [path for one in directories for path in glob.glob(os.path.join(glob.escape(one), f"*-{_OWN_LIST}"))]
    own = sorted({os.path.basename(path) for path in found})
    return [("", _OWN_LIST), *((name.removesuffix(f"-{_OWN_LIST}"), name) for name in own)]


def default(session: Session, type_: str) -> str:
    """Return the application, by the name of its entry, that opens files of a type, `""`: none does."""
    return next(iter(all_of(session, type_)), "")


def all_of(session: Session, type_: str) -> list[str]:
    """Return all applications for files of a type that can be started, the default one first."""
    found = [name for one in _with_parents(session, type_) for name in _listed(session, one)]
    return [name for name in dict.fromkeys(found) if is_usable(session, name)]


def explicit(session: Session, type_: str) -> str:
    """Return the application that a list names as the default for just this type and that can be started, or `""`."""
    return next((name for name in _defaults(session, type_) if is_usable(session, name)), "")


def is_usable(session: Session, name: str) -> bool:
    """Tell whether there is an entry of that name, whose program is there."""
    keys = entry(session, name)
    try:
        programs = [*shlex.split(keys.get("TryExec", "")), *shlex.split(keys.get("Exec", ""))[:1]]
    except ValueError:
        return False
    return bool(programs) and all(shutil.which(program, path=session.path) for program in programs)


def entry(session: Session, name: str) -> dict[str, str]:
    """Return the keys of the first entry of that name, none where there is none."""
    for directory in session.data:
        for path in _paths(os.path.join(directory, "applications"), name):
            if os.path.isfile(path):
                return read_entry(path)
    return {}


def read_entry(path: str) -> dict[str, str]:
    """Return the keys of the desktop entry at `path`, none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return entries.read(file.read())
    except OSError:
        return {}


def _listed(session: Session, type_: str) -> Iterator[str]:
    """Yield the applications that the lists have for just this type: defaults first, then the others."""
    yield from _defaults(session, type_)
    removed: set[str] = set()
    for paths in _directories(session):
        for path in paths[len(session.desktops) :]:  # a desktop's own list has nothing but defaults
            sections = _read(path)
            for section in (mimeapps.ADDED, "MIME Cache"):
                yield from (name for name in sections.get(section, {}).get(type_, []) if name not in removed)
            removed.update(sections.get(mimeapps.REMOVED, {}).get(type_, []))


def _defaults(session: Session, type_: str) -> Iterator[str]:
    for paths in _directories(session):
        for path in paths:
            yield from _read(path).get(mimeapps.DEFAULT, {}).get(type_, [])


def _directories(session: Session) -> Iterator[list[str]]:
    """Yield the paths of the lists, those of one directory together."""
    own = [*(f"{desktop}-{_OWN_LIST}" for desktop in session.desktops), _OWN_LIST]
    for directory in session.configuration:
        yield [os.path.join(directory, name) for name in own]
    for directory in session.data:
        yield [os.path.join(directory, "applications", name) for name in (*own, *_DATA_LISTS)]


def _with_parents(session: Session, type_: str) -> list[str]:
    """Return a type and those that it is a sub-class of, the nearest first."""
    pairs = [pair for data in session.data for pair in _lines(os.path.join(data, "mime", "subclasses"))]
    found = [type_]
    for one in found:
        found += [parent for child, _, parent in (pair.partition(" ") for pair in pairs) if child == one != parent]
    return list(dict.fromkeys(found))


def _paths(applications: str, name: str) -> Iterator[str]:
    """Yield where the entry of that name may be: each `-` may stand for a directory."""
    yield os.path.join(applications, name)
    for at, character in enumerate(name):
        directory = os.path.join(applications, name[:at])
        if character == "-" and os.path.isdir(directory):
            yield from _paths(directory, name[at + 1 :])


def _read(path: str) -> dict[str, dict[str, list[str]]]:
    try:
        with open(path, "rb") as file:
            return mimeapps.read(file.read())
    except OSError:
        return {}


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
