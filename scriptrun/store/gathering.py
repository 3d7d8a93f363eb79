"""Keep what pip installed into an environment.

Of each distribution the store has every file as pip unpacked it, but those that say something of one environment, which
`assembly` writes anew.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from scriptrun import integrity, record
from scriptrun.interpreters import Interpreter
from scriptrun.order import Described, Distribution
from scriptrun.store import assembly, commands, kept, listing, placing
from scriptrun.store.assembly import CONTENT, Places
from scriptrun.store.listing import Listing, Unusable

_OWN = (record.NAME, "REQUESTED", "direct_url.json")
"""What the directory of metadata has for one environment alone."""

_OTHER_MODULES = re.compile(r"prefix/lib(64)?/python")
"""Modules, which another version of Python would not find there."""


class _Unfit(Exception):
    """A distribution is not one that could be put elsewhere."""


@dataclass(frozen=True)
class Gathered:
    """What was gathered of distributions and is not to be found yet: directories, and the names they are to have."""

    directories: tuple[tuple[str, str], ...]

    def publish(self) -> None:
        """Let all be found; what was gathered has to be on disk. Raises OSError."""
        for path, name in self.directories:
            kept.finish(path, name)


def keep(
    cache: str,
    environment: str,
    distributions: Iterable[Distribution],
    described: Mapping[str, Described],
    interpreter: Interpreter,
) -> tuple[tuple[Distribution, ...], Gathered]:
    """Gather what pip installed into an environment; return the distributions, each with the name that it is kept by.

    What was kept before takes the place of what pip unpacked once more. Raises OSError.
    """
    installed, places = integrity.installed(environment), Places(environment)
    found, gathered = [], []
    for one in distributions:
        name = kept.directory(one.name, one.version, one.hash, one.origin, interpreter)
        place = installed.get(integrity.identity(one.name, one.version))
        if name and place and not _share(cache, name, places):
            path = _gather(cache, replace(one, kept=name), places, place[0], described.get(one.name, Described()))
            gathered += [(path, name)] if path else []
            name = name if path else ""
        found.append(replace(one, kept=name if place else ""))
    return tuple(found), Gathered(tuple(gathered))


def _share(cache: str, name: str, places: Places) -> bool:
    """Let the files of an environment be those that are kept; tell whether there are such. Raises OSError."""
    one = kept.find(cache, name)
    if one is None:
        return False
    try:
        for stored, size, mtime, _ in listing.read(one.path).files:
            source, target = os.path.join(one.path, CONTENT, stored), places.find(stored)[0]
            assembly.verify(source, size, mtime)
            if not os.path.samefile(source, target):
                placing.share(source, target)
    except (Unusable, FileNotFoundError):
        kept.remove(cache, name)
        return False
    return True


def _gather(cache: str, one: Distribution, places: Places, metadata: str, described: Described) -> str:
    """Return a new directory that holds what is kept of one distribution; `""` where it cannot be put elsewhere."""
    try:
        files, programs = _sorted(metadata, places)
    except _Unfit:
        return ""
    directory = kept.begin(cache, one.kept)
    content = os.path.join(directory, CONTENT)
    directories = sorted({above for stored in (*files, *programs) for above in _above(stored)})
    for path in directories:
        os.makedirs(os.path.join(content, path))
    found = Listing(os.path.basename(metadata), directories, [], [])
    for stored, (path, rest) in files.items():
        placing.share(path, os.path.join(content, stored))
        placing.protect(path)
        found.files.append((stored, *_settled(os.path.join(content, stored)), rest))
    for stored, (path, program) in programs.items():
        with open(os.path.join(content, stored), "xb") as file:
            file.write(program)
        found.programs.append((stored, *_settled(file.name), stat.S_IMODE(os.stat(path).st_mode)))
    listing.write(directory, found)
    kept.describe(directory, one, described)
    return directory


def _settled(path: str) -> tuple[int, int]:
    """Make a file of the store read-only; return size and mtime."""
    placing.protect(path)
    status = os.lstat(path)
    return status.st_size, status.st_mtime_ns


def _sorted(metadata: str, places: Places) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, bytes]]]:
    """Return files and programs of a distribution, by where they are in the store.

    With a file there is its path, and what RECORD says after its name; with a program its path, and all but its first
    lines. Raises _Unfit.
    """
    files: dict[str, tuple[str, str]] = {}
    programs: dict[str, tuple[str, bytes]] = {}
    for name, rest in _rows(metadata):
        stored = _stored(name, places)
        path, again = places.find(stored)
        if again != name or stored in files or stored in programs or not _is_file(path):
            raise _Unfit
        program = _program(path, places)
        if program is None:
            files[stored] = path, rest
        else:
            programs[_versioned(stored, places)] = path, program
    return files, programs


def _rows(metadata: str) -> Iterator[tuple[str, str]]:
    """Yield name, and the rest of its line, of each file that is the same everywhere. Raises _Unfit.

    What has no hash may be another distribution's.
    """
    own = os.path.basename(metadata) + "/"
    try:
        rows = record.read(os.path.join(metadata, record.NAME))
    except FileNotFoundError:
        raise _Unfit from None  # by an old pip, which wrote none
    for name, digest, size in rows:
        if name in [own + one for one in _OWN] or ("__pycache__" in name.split("/") and not digest):
            continue
        if not (digest or name.startswith(own)) or not re.fullmatch(r"[^\s\",]*", digest + size):
            raise _Unfit
        yield name, f"{digest},{size}"


def _stored(name: str, places: Places) -> str:
    """Return where in the store a file is that a RECORD names so. Raises _Unfit."""
    kinds = (one for one in ("headers", "prefix", "site") if name.startswith(places.roots[one][1]))
    kind = next(kinds)
    stored = f"{kind}/{name[len(places.roots[kind][1]) :]}"
    if not listing.is_inside(stored) or _OTHER_MODULES.match(stored):
        raise _Unfit
    return stored


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _program(path: str, places: Places) -> bytes | None:
    """Return a program without its first lines, None where a file does not name this environment's Python in such."""
    programs = os.path.dirname(places.python)
    if os.path.dirname(path) != programs:
        return None
    with open(path, "rb") as file:
        content = file.read()
    found = commands.split(content, places.python)
    if os.fsencode(programs) in (content if found is None else found):  # an `.exe` of Windows
        raise _Unfit
    return found


def _versioned(stored: str, places: Places) -> str:
    """Return where in the store a command is, to whose name pip adds the version of Python, as `pip3.11`."""
    directory, _, name = stored.rpartition("/")
    if places.short and name in (f"pip{places.short}", f"easy_install-{places.short}"):
        return f"versioned{directory.removeprefix('prefix')}/{name.removesuffix(places.short)}"
    return stored


def _above(stored: str) -> Iterator[str]:
    """Yield the directories that a path leads through."""
    while "/" in stored:
        stored = stored.rpartition("/")[0]
        yield stored
