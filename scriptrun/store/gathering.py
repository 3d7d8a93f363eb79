"""Keep what pip installed into an environment.

Of each distribution the store has every file as pip unpacked it, but those that say something of one environment, which
`assembly` writes anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from scriptrun import deletion, integrity, record
from scriptrun.interpreter import Interpreter
from scriptrun.order import Described, Distribution, Installed
from scriptrun.store import assembly, commands, kept, listing, placing
from scriptrun.store.assembly import CONTENT, Places
from scriptrun.store.listing import Listing, Unusable

_OTHER_MODULES = re.compile(r"(prefix/lib(64)?|library)/(python|pypy)")
"""Modules, which another version of Python would not find there."""


class Unfit(Exception):
    """A distribution is not one that could be put elsewhere; the text says why."""


class Parts(NamedTuple):
    """What a distribution consists of.

    Of a file there is where it goes in the store, its path, and what RECORD says after its name: of some there are two
    lines. Of a program, by where it goes, its path, and all but its first lines.
    """

    files: list[tuple[str, str, str]]
    programs: dict[str, tuple[str, bytes]]


class Gathering:
    """What is gathered of distributions, and is not to be found yet; `close` removes what is not published.

    Where the system refuses anything, for lack of room perhaps, `show` is told why, and that distribution is not kept:
    nobody needs the store to run what pip installed.
    """

    def __init__(self, cache: str, interpreter: Interpreter, show: Callable[[str], None]) -> None:
        self._cache, self._interpreter, self._show = cache, interpreter, show
        self._begun: dict[str, str] = {}

    def close(self) -> None:
        """Remove what is not to be found."""
        for path in self._begun.values():
            deletion.delete(path)

    def keep(
        self, environment: str, installed: Installed, overwritten: Collection[str] = ()
    ) -> tuple[Distribution, ...]:
        """Gather what pip installed into an environment; return the distributions, each with the name it is to have.

        What was kept before and is the same takes the place of what pip unpacked once more. Those of which another one
        has `overwritten` a file are not kept.
        """
        found, places = integrity.installed(environment), Places(environment)
        return tuple(
            one  # kept already: it was put in from there
            if one.kept or one.name in overwritten
            else self._keep(one, found, places, installed.described.get(one.name, Described()))
            for one in installed.distributions
        )

    def publish(self, distributions: Iterable[Distribution]) -> tuple[Distribution, ...]:
        """Let all be found, which has to be on disk; return the distributions, without a name those that are not."""
        lost = set()
        for name, path in self._begun.items():
            try:
                kept.finish(path, name)
            except OSError as error:
                self._tell(name, error)
                lost.add(name)
        return tuple(one._replace(kept="") if one.kept in lost else one for one in distributions)

    def _keep(
        self, one: Distribution, found: Mapping[tuple[str, str], tuple[str, str]], places: Places, described: Described
    ) -> Distribution:
        name = kept.directory(one.name, one.version, one.hash, one.origin, self._interpreter)
        place = found.get(integrity.identity(one.name, one.version))
        if not name or place is None:
            return one
        named = one._replace(kept=name)
        try:
            parts = sort(one, place[0], places)
            if not self._share(name, parts, places):
                self._begun[name] = kept.begin(self._cache, name)
                _fill(self._begun[name], os.path.basename(place[0]), parts, places)
                kept.describe(self._begun[name], named, described)
        except Unfit:
            return one
        except OSError as error:
            self._tell(name, error)
            deletion.delete(self._begun.pop(name, ""))
            return one
        return named

    def _share(self, name: str, parts: Parts, places: Places) -> bool:
        """Let the files of an environment be those that are kept, if they are the same, else forget what is kept.

        A distribution that was built here twice may have become another one. Tell whether they are. Raises OSError.
        """
        one = kept.find(self._cache, name)
        if one is not None:
            with contextlib.suppress(Unusable, FileNotFoundError):
                if _is_same(one.path, parts):
                    _replace(one.path, places)
                    return True
        kept.remove(self._cache, name)
        return False

    def _tell(self, name: str, error: OSError) -> None:
        self._show(f"not kept for other environments: {name}: {error}")


def _is_same(directory: str, parts: Parts) -> bool:
    """Tell whether what is kept in a directory holds the same as what pip unpacked. Raises Unusable and OSError."""
    found, content = listing.read(directory), os.path.join(directory, CONTENT)
    rows = sorted((stored, rest) for stored, _, rest in parts.files)
    if rows != sorted((stored, rest) for stored, _, _, rest in found.files):
        return False
    if set(parts.programs) != {one[0] for one in found.programs}:
        return False
    told = {stored: program for stored, (_, program) in parts.programs.items()}
    told.update((stored, _content(path)) for stored, path, rest in parts.files if rest.startswith(","))
    return all(_content(os.path.join(content, stored)) == one for stored, one in told.items())


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _replace(directory: str, places: Places) -> None:
    """Let files of an environment be those that are kept in a directory. Raises Unusable and OSError."""
    for stored, size, mtime, _ in listing.read(directory).files:
        source, target = os.path.join(directory, CONTENT, stored), places.find(stored)[0]
        assembly.verify(source, size, mtime)
        if not os.path.samefile(source, target):
            places.placing.replace(source, target)


def _fill(directory: str, metadata: str, parts: Parts, places: Places) -> None:
    """Put what is kept of a distribution into a new directory, and the list of it. Raises OSError."""
    content = os.path.join(directory, CONTENT)
    above = directories((*(one[0] for one in parts.files), *parts.programs))
    for path in above:
        os.makedirs(os.path.join(content, path))
    found = Listing(metadata, above, [], [])
    for stored, path, rest in parts.files:
        if not os.path.lexists(os.path.join(content, stored)):  # of some there are two lines
            places.placing.share(path, os.path.join(content, stored))
            placing.protect(path)
        found.files.append((stored, *settle(os.path.join(content, stored)), rest))
    for stored, (path, program) in parts.programs.items():
        with open(os.path.join(content, stored), "xb") as file:
            file.write(program)
        found.programs.append((stored, *settle(file.name), stat.S_IMODE(os.stat(path).st_mode)))
    listing.write(directory, found)


def directories(stored: Iterable[str]) -> list[str]:
    """Return the directories that these files of the store are in, parents first."""
    return sorted({above for one in stored for above in _above(one)})


def settle(path: str) -> tuple[int, int]:
    """Make a file of the store read-only; return size and mtime. Raises OSError."""
    placing.protect(path)
    status = os.lstat(path)
    return status.st_size, status.st_mtime_ns


def sort(one: Distribution, metadata: str, places: Places) -> Parts:
    """Return files and programs of a distribution. Raises Unfit and OSError."""
    files, programs = parts = Parts([], {})
    for name, rest in _rows(one, metadata):
        stored = _stored(name, places)
        path, again = places.find(stored)
        if again != name or not _is_file(path):
            raise Unfit(f"`{name}` is no file that could be elsewhere")
        program = _program(path, places)
        if program is None:
            files.append((stored, path, rest))
        elif _versioned(stored, places) not in programs:
            programs[_versioned(stored, places)] = path, program
        else:
            raise Unfit(f"the command `{name}` is there twice")
    return parts


def _rows(one: Distribution, metadata: str) -> Iterator[tuple[str, str]]:
    """Yield name, and the rest of its line, of each file that is the same everywhere. Raises Unfit."""
    own = os.path.basename(metadata) + "/"
    try:
        rows = record.read(os.path.join(metadata, record.NAME))
    except FileNotFoundError:
        raise Unfit("it has no list of its files") from None  # by an old pip, which wrote none
    written = [own + record.NAME, *_written(own, one)]
    for name, digest, size in rows:
        if name in written:
            written.remove(name)
        elif "__pycache__" in name.split("/") and not digest:
            continue  # pip compiled it
        elif _is_doubtful(name, digest, size, own):
            raise Unfit(f"its list of files says of `{name}` what cannot be so elsewhere")
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
    """Return where in the store a file is that a RECORD names so. Raises Unfit."""
    kinds = (one for one in ("headers", "prefix", "library", "site") if name.startswith(places.roots[one][1]))
    kind = next(kinds)
    stored = f"{kind}/{name[len(places.roots[kind][1]) :]}"
    if not listing.is_inside(stored) or _OTHER_MODULES.match(stored):
        raise Unfit(f"`{name}` would not be found elsewhere")
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
        raise Unfit(f"`{path}` names the environment that it is in")
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
