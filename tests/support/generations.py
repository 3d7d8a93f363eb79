"""Environments that only look like some: directories with what a removal looks at."""

from __future__ import annotations

import os
import time
from pathlib import Path

from scriptrun import paths

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
