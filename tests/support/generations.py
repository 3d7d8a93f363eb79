"""Environments that only look like some: directories with what a removal looks at. And real ones, made older."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from scriptrun import paths
from support.user import User

OLD = 30 * 86400.0
"""An age in seconds at which nobody calls an environment just used."""


def make(cache: str, key: str, generation: str = "", *, age: float = OLD, size: int = 0) -> Path:
    """Make a complete environment, the current one of its key, that was used `age` seconds ago.

    Its name is random unless given: a process that uses one of another test shows the same end of a path else.
    """
    paths.make_directories(cache)
    generation = generation or os.urandom(4).hex()
    path = Path(paths.environments(cache, key)) / generation
    (path / "bin").mkdir(parents=True)
    (path / "scriptrun.json").write_text("{}")
    (path / "pyvenv.cfg").touch()
    (path / "bin/python").symlink_to("/usr/bin/env")
    (path / "content").write_bytes(b"x" * size)
    paths.replace(paths.pointer(cache, key), f"{generation}\n".encode())
    use(path, age)
    return path


def use(path: Path, age: float = 0) -> None:
    """Let an environment have been used `age` seconds ago."""
    stamp = path / ".stamp"
    stamp.touch()
    os.utime(stamp, (time.time() - age, time.time() - age))


def key(number: int) -> str:
    """Return a key."""
    return f"{number:032x}"


def age(user: User, days: float = 30) -> None:
    """Let all environments of a user have been made so many days earlier."""
    day = 86400
    for path in user.environments():
        manifest = json.loads((path / "scriptrun.json").read_text())
        made = time.gmtime(time.time() - days * day)
        manifest["created"] = manifest["answered"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", made)
        (path / "scriptrun.json").write_text(json.dumps(manifest))
        for due in path.glob(".due-*"):
            moment = due.stat().st_mtime - days * day
            os.utime(due, (moment, moment))
