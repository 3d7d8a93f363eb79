"""Byte code of what is kept: what Python made of a distribution's modules in one environment is for all others too.

An environment is looked through now and then. Byte code counts that is plain (no optimisation, nobody's own suffix),
that just the version of Python wrote which the environment has, and that was made of the very file that is kept.
"""

from __future__ import annotations

import _imp
import collections
import contextlib
import importlib.util
import marshal
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scriptrun import integrity, paths
from scriptrun.store import assembly, kept, listing, placing
from scriptrun.store.assembly import CONTENT, Places
from scriptrun.store.listing import Listing, Unusable

_HEADER = 16
_BY_TIME, _BY_HASH = bytes(4), bytes([1, 0, 0, 0])
_PYCACHE = "__pycache__"


class _Look(NamedTuple):
    """How an environment is looked through: where its files are, and the number that its byte code begins with.

    Directories that did not change after `since` (seconds) are passed over. `linked` says whether files are links.
    """

    places: Places
    magic: bytes
    since: float
    linked: bool = True


class _Module(NamedTuple):
    """A module that is kept: where in the store, its size and its mtime (ns)."""

    stored: str
    size: int
    mtime: int


def take_over(cache: str, environment: str, manifest: Mapping[str, Any], since: float = 0.0) -> list[str]:
    """Keep the byte code that an environment has of what is kept; return the names of those that have more of it now.

    Directories that did not change after `since` (seconds) were looked through before. What cannot be read or written
    is left out.
    """
    taken = []
    with contextlib.suppress(OSError):
        places = Places(environment)
        look = _Look(places, _magic(manifest["asked"]["interpreter"], places), since)
        for one in manifest["distributions"] if look.magic else ():
            name = one.get("kept", "")
            with contextlib.suppress(OSError, Unusable):
                if kept.is_name(name) and _take(os.path.join(paths.store(cache), name), look):
                    taken.append(name)
    return taken


def _magic(interpreter: Mapping[str, Any], places: Places) -> bytes:
    """Return what byte code begins with that an interpreter writes; nothing where that is not known.

    It stays the same from the first release of a version on, and changes with any pre-release. Raises OSError.
    """
    if interpreter.get("implementation") != "cpython" or not interpreter["version"].replace(".", "").isdigit():
        return b""
    if places.compiled == sys.implementation.cache_tag:
        return importlib.util.MAGIC_NUMBER
    prefix = os.path.dirname(os.path.dirname(interpreter["path"]))
    directory = os.path.join(prefix, "lib", os.path.basename(os.path.dirname(places.site)), _PYCACHE)
    for name in sorted(os.listdir(directory)):
        if name.endswith(f".{places.compiled}.pyc"):
            return paths.read(os.path.join(directory, name))[:4]
    return b""


def _take(directory: str, look: _Look) -> bool:
    """Keep byte code of the distribution in this directory of the store; tell whether there was any that is new.

    Raises OSError and Unusable.
    """
    found = listing.read(directory)
    candidates = list(_candidates(found, look))
    if not candidates:
        return False
    content = os.path.join(directory, CONTENT) + "/"
    look = look._replace(linked=any(os.lstat(content + one[0]).st_nlink > 1 for one in found.files))
    before = {one[0]: one for one in _sound(directory, content, look.places)}
    brought = {one[0] for one in found.files}
    new = {
        target: _kept(path, content + target, look.places)
        for module, path in candidates
        if (target := _cached(module.stored, look.places)) not in before.keys() | brought
        and _is_valid(path, content, module, look)
    }
    if new:
        files = [*before.values(), *((target, *rest) for target, rest in new.items())]
        directories = sorted({os.path.dirname(one[0]) for one in files})
        listing.write(directory, Listing(found.metadata, directories, files, []), look.places.compiled)
    return bool(new)


def _sound(directory: str, content: str, places: Places) -> Iterator[tuple[str, int, int, str]]:
    """Yield those files of the list of byte code that are as they were put there."""
    with contextlib.suppress(Unusable):
        for one in listing.read(directory, places.compiled).files:
            with contextlib.suppress(Unusable):
                assembly.verify(content + one[0], one[1], one[2])
                yield one


def _candidates(found: Listing, look: _Look) -> Iterator[tuple[_Module, str]]:
    """Yield the modules that there is byte code of, where a directory of such changed, and the path of that."""
    modules = collections.defaultdict(list)
    for stored, size, mtime, _ in found.files:
        if stored.startswith("site/") and stored.endswith(".py"):
            modules[os.path.dirname(stored)].append(_Module(stored, size, mtime))
    for directory, inside in modules.items():
        path = os.path.join(look.places.find(directory)[0], _PYCACHE)
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode) and status.st_mtime >= look.since:
                names = set(os.listdir(path))
                for one in inside:
                    name = os.path.basename(_cached(one.stored, look.places))
                    if name in names:
                        yield one, os.path.join(path, name)


def _cached(stored: str, places: Places) -> str:
    """Return where in the store the byte code of a module is."""
    directory, name = os.path.split(stored)
    return f"{directory}/{_PYCACHE}/{name.removesuffix('.py')}.{places.compiled}.pyc"


def _is_valid(path: str, content: str, module: _Module, look: _Look) -> bool:
    """Tell whether the byte code at `path` is what Python makes of a module that is kept, and the environment has."""
    source = content + module.stored
    try:
        assembly.verify(source, module.size, module.mtime)
        same = _is_same(source, look.places.find(module.stored)[0], linked=look.linked)
        if not same or not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        code = paths.read(path)
    except (OSError, Unusable):
        return False
    magic, by, said = code[:4], code[4:8], code[8:_HEADER]
    if by == _BY_TIME:
        expected = b"".join((one & 0xFFFFFFFF).to_bytes(4, "little") for one in (module.mtime // 10**9, module.size))
    elif by == _BY_HASH:  # before 3.11 the hash was another one: across that nothing is taken
        expected = _imp.source_hash(int.from_bytes(magic, "little"), paths.read(source))
    else:
        return False
    return (magic, said) == (look.magic, expected) and _is_whole(code)


def _is_same(source: str, other: str, *, linked: bool) -> bool:
    """Tell whether a file of an environment is the one that is kept: a link, or where there are none, as it was then.

    Raises OSError.
    """
    one, two = os.lstat(source), os.lstat(other)
    if linked:
        return os.path.samestat(one, two)
    return (one.st_mode, one.st_size, one.st_mtime_ns) == (two.st_mode, two.st_size, two.st_mtime_ns)


def _is_whole(code: bytes) -> bool:
    """Tell whether byte code is all there, so far as this Python can read it: a loss of power may have cut it off."""
    if code[:4] != importlib.util.MAGIC_NUMBER:
        return len(code) > _HEADER
    try:
        return hasattr(marshal.loads(code[_HEADER:]), "co_code")  # noqa: S302 - an import does no less
    except (EOFError, ValueError, TypeError):
        return False


def _kept(path: str, stored: str, places: Places) -> tuple[int, int, str]:
    """Put byte code into the store; return size, mtime (ns), and hash and size as RECORD has them. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.path.dirname(stored), 0o700)  # and nothing above it: the distribution may be going
    places.placing.share(path, stored)
    placing.protect(stored)
    status = os.lstat(stored)
    return status.st_size, status.st_mtime_ns, f"sha256={integrity.digest(stored, 'sha256')},{status.st_size}"
