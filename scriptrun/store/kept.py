"""What is kept of a distribution: its files as pip unpacked them, and what they are.

A directory of the store is complete when it has its name: it is made beside, and renamed when all of it is on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from scriptrun import deletion, paths
from scriptrun.interpreters import Interpreter
from scriptrun.order import Described

FORMAT = 1
FACTS = "kept.json"
CONTENT = "content"

_NAME = re.compile(r"[a-z0-9-]+-[\w.+!]+-[0-9a-f]{32}", re.ASCII)


class Unusable(Exception):
    """What was kept is not there any more, or not as it was put there; it says which."""


@dataclass(frozen=True)
class Kept:
    """A distribution in the store: its directory, and what is known of it (see `assembly.keep`)."""

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
        built = json.dumps([identity, astuple(interpreter)], separators=(",", ":"))
        identity = hashlib.sha256(built.encode()).hexdigest()
    found = f"{name}-{version}-{identity[:32]}"
    return found if _NAME.fullmatch(found) else ""


def find(cache: str, name: str) -> Kept | None:
    """Return what is kept under the name of a directory, None where nothing is that can be read."""
    path = os.path.join(paths.store(cache), name)
    try:
        facts = json.loads(paths.read(os.path.join(path, FACTS)))
    except (OSError, ValueError, RecursionError):
        return None
    return Kept(path, facts) if isinstance(facts, dict) and facts.get("format") == FORMAT else None


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


def remove(cache: str, name: str) -> int:
    """Remove what is kept under a name; return the bytes that this freed. Environments keep what they hold."""
    path = os.path.join(paths.store(cache), name)
    doomed = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    with contextlib.suppress(OSError):
        os.rename(path, doomed)
        return deletion.delete(doomed)
    return 0
