"""What is kept of a distribution: its files as pip unpacked them, and what they are.

A directory of the store is complete when it has its name: it is made beside, and renamed when all of it is on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scriptrun import deletion, paths, shape
from scriptrun.interpreter import Interpreter
from scriptrun.order import Described, Distribution

FORMAT = 2
FACTS = "kept.json"

_SHAPE = {
    "format": int,
    "name": str,
    "version": str,
    "hash": str,
    "origin": str,
    "requires": [str],
    "requires_python": str,
    "extras": [str],
}

_NAME = re.compile(r"[a-z0-9-]+-[\w.+!]+-[0-9a-f]{32}", re.ASCII)

_UNFINISHED = re.compile(rf"{_NAME.pattern}\.(\d+)\.[0-9a-f]{{8}}", re.ASCII)
"""What is being made of a distribution, or deleted: its name, then the process that does it, and a number."""


class Kept(NamedTuple):
    """A distribution in the store: its directory, and what is known of it (see `gathering.keep`)."""

    path: str
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of its directory."""
        return os.path.basename(self.path)


def directory(name: str, version: str, digest: str, origin: str, interpreter: Interpreter) -> str:
    """Return the name of the directory that a distribution has in a store, `""` where it cannot be kept.

    A wheel is known by its hash. What was built here from a source is that, and the interpreter that it was built with.
    """
    if not digest.startswith("sha256="):
        return ""
    identity = digest.removeprefix("sha256=")
    if not origin.partition("#")[0].partition("?")[0].endswith(".whl"):
        built = json.dumps([identity, interpreter], separators=(",", ":"))
        identity = hashlib.sha256(built.encode()).hexdigest()
    found = f"{name}-{version}-{identity[:32]}"
    return found if is_name(found) else ""


def is_name(name: str) -> bool:
    """Tell whether a directory in a store with this name is a distribution, and nothing that is being made of one."""
    return bool(_NAME.fullmatch(name))


def find(cache: str, name: str) -> Kept | None:
    """Return what is kept under the name of a directory, None where nothing is that can be read."""
    path = os.path.join(paths.store(cache), name)
    try:
        facts = json.loads(paths.read(os.path.join(path, FACTS)))
    except (OSError, ValueError, RecursionError):
        return None
    return Kept(path, facts) if shape.fits(facts, _SHAPE) and facts["format"] == FORMAT else None


def holds(cache: str, name: str) -> bool:
    """Tell whether something is kept under the name of a directory, without reading it."""
    return os.path.exists(os.path.join(paths.store(cache), name, FACTS))


def describe(path: str, one: Distribution, described: Described) -> None:
    """Write down what is known of a distribution whose files are in the directory `path`. Raises OSError."""
    known = {
        "format": FORMAT,
        "name": one.name,
        "version": one.version,
        "hash": one.hash,
        "origin": one.origin,
        **described._asdict(),
    }
    with open(os.path.join(path, FACTS), "x", encoding="ascii") as file:
        json.dump(known, file, separators=(",", ":"))


def names(cache: str) -> tuple[str, ...]:
    """Return the names of all that is kept."""
    try:
        return tuple(name for name in os.listdir(paths.store(cache)) if is_name(name))
    except OSError:
        return ()


def described(cache: str, name: str) -> Described | None:
    """Return what the metadata of a distribution says that is kept under the name of a directory."""
    found = find(cache, name)
    if found is None:
        return None
    facts = found.facts
    return Described(tuple(facts["requires"]), facts["requires_python"], tuple(facts["extras"]))


def begin(cache: str, name: str) -> str:
    """Make a directory in which a distribution is gathered, and return it. Raises OSError."""
    directory = paths.store(cache)
    paths.make_directories(directory)
    path = os.path.join(directory, f"{name}.{os.getpid()}.{os.urandom(4).hex()}")
    os.mkdir(path, 0o700)
    return path


def finish(path: str, name: str) -> None:
    """Let what was gathered be found, unless another one has put the same there meanwhile. Raises OSError."""
    target = os.path.join(os.path.dirname(path), name)
    try:
        os.rename(path, target)
    except OSError:
        deletion.delete(path)
        if not os.path.isdir(target):
            raise


def leavings(cache: str) -> Iterator[str]:
    """Yield what processes began to make, or to delete, and did not finish, but those that live on this machine.

    Others may live on another machine, or in another container, for which the same numbers mean other processes.
    """
    with contextlib.suppress(OSError), os.scandir(paths.store(cache)) as entries:
        for entry in entries:
            found = _UNFINISHED.fullmatch(entry.name)
            if found and not paths.lives(int(found.group(1))):
                yield entry.path


def remove(cache: str, name: str) -> int:
    """Remove what is kept under a name; return the bytes that this freed. Environments keep what they hold."""
    path = os.path.join(paths.store(cache), name)
    doomed = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    with contextlib.suppress(OSError):
        os.rename(path, doomed)
        return deletion.delete(doomed)
    return 0
