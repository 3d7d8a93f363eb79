"""Keep what pip installed into an environment.

Of each distribution the store has every file as pip unpacked it, but those that say something of one environment, which
`assembly` writes anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scriptrun import integrity, record
from scriptrun.interpreters import Interpreter
from scriptrun.order import Described, Distribution
from scriptrun.store import assembly, commands, kept, listing, placing
from scriptrun.store.assembly import CONTENT, Places
from scriptrun.store.listing import Listing, Unusable

_OTHER_MODULES = re.compile(r"(prefix/lib(64)?|library)/(python|pypy)")
"""Modules, which another version of Python would not find there."""


class _Unfit(Exception):
    """A distribution is not one that could be put elsewhere."""


class Gathered(NamedTuple):
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
        if one.kept:  # it was put in from there
            found.append(one)
            continue
        name = kept.directory(one.name, one.version, one.hash, one.origin, interpreter)
        place = installed.get(integrity.identity(one.name, one.version))
        if name and place and not _share(cache, name, places):
            path = _gather(cache, one._replace(kept=name), places, place[0], described.get(one.name, Described()))
            gathered += [(path, name)] if path else []
            name = name if path else ""
        found.append(one._replace(kept=name if place else ""))
    return tuple(found), Gathered(tuple(gathered))


def _share(cache: str, name: str, places: Places) -> bool:
    """Let the files of an environment be those that are kept; tell whether there are such. Raises OSError."""
    one = kept.find(cache, name)
    if one is not None:
        with contextlib.suppress(Unusable, FileNotFoundError):
            _replace(one.path, places)
            return True
    kept.remove(cache, name)
    return False


def _replace(directory: str, places: Places) -> None:
    """Let files of an environment be those that are kept in a directory. Raises Unusable and OSError."""
    for stored, size, mtime, _ in listing.read(directory).files:
        source, target = os.path.join(directory, CONTENT, stored), places.find(stored)[0]
        assembly.verify(source, size, mtime)
        if not os.path.samefile(source, target):
            places.placing.replace(source, target)


def _gather(cache: str, one: Distribution, places: Places, metadata: str, described: Described) -> str:
    """Return a new directory that holds what is kept of one distribution; `""` where it cannot be put elsewhere."""
    try:
        files, programs = _sorted(one, metadata, places)
    except _Unfit:
        return ""
    directory = kept.begin(cache, one.kept)
    content = os.path.join(directory, CONTENT)
    directories = sorted({above for stored in (*(one[0] for one in files), *programs) for above in _above(stored)})
    for path in directories:
        os.makedirs(os.path.join(content, path))
    found = Listing(os.path.basename(metadata), directories, [], [])
    for stored, path, rest in files:
        if not os.path.lexists(os.path.join(content, stored)):  # of some there are two lines
            places.placing.share(path, os.path.join(content, stored))
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


def _sorted(
    one: Distribution, metadata: str, places: Places
) -> tuple[list[tuple[str, str, str]], dict[str, tuple[str, bytes]]]:
    """Return files and programs of a distribution.

    Of a file there is where it goes in the store, its path, and what RECORD says after its name: of some there are two
    lines. Of a program, by where it goes, its path, and all but its first lines. Raises _Unfit.
    """
    files: list[tuple[str, str, str]] = []
    programs: dict[str, tuple[str, bytes]] = {}
    for name, rest in _rows(one, metadata):
        stored = _stored(name, places)
        path, again = places.find(stored)
        if again != name or not _is_file(path):
            raise _Unfit
        program = _program(path, places)
        if program is None:
            files.append((stored, path, rest))
        elif _versioned(stored, places) not in programs:
            programs[_versioned(stored, places)] = path, program
        else:
            raise _Unfit
    return files, programs


def _rows(one: Distribution, metadata: str) -> Iterator[tuple[str, str]]:
    """Yield name, and the rest of its line, of each file that is the same everywhere. Raises _Unfit."""
    own = os.path.basename(metadata) + "/"
    try:
        rows = record.read(os.path.join(metadata, record.NAME))
    except FileNotFoundError:
        raise _Unfit from None  # by an old pip, which wrote none
    written = [own + record.NAME, *_written(own, one)]
    for name, digest, size in rows:
        if name in written:
            written.remove(name)
        elif "__pycache__" in name.split("/") and not digest:
            continue  # pip compiled it
        elif _is_doubtful(name, digest, size, own):
            raise _Unfit
        else:
            yield name, f"{digest},{size}"


def _is_doubtful(name: str, digest: str, size: str, own: str) -> bool:
    """Tell whether a file is one that is written anew, without a hash perhaps another one's, or cannot be listed."""
    again = name in [own + one for one in (record.NAME, "REQUESTED", "direct_url.json")]
    return again or not (digest or name.startswith(own)) or not re.fullmatch(r"[^\s\",]*", digest + size)


def _written(own: str, one: Distribution) -> Iterator[str]:
    """Yield what is written for each environment into the directory of metadata."""
    if one.requested:
        yield f"{own}REQUESTED"
    if one.direct:
        yield f"{own}direct_url.json"


def _stored(name: str, places: Places) -> str:
    """Return where in the store a file is that a RECORD names so. Raises _Unfit."""
    kinds = (one for one in ("headers", "prefix", "library", "site") if name.startswith(places.roots[one][1]))
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
