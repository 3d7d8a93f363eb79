"""Which files of a project on this machine a build may read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_WRITTEN = re.compile(r"\.|__pycache__$|.*\.egg-info$")
_NOT_READ = frozenset(("build", "dist", "venv", "node_modules"))
"""Directories at the top of a project that a build writes, or that hold what was installed."""

_MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")
"""What a directory holds that is a cache, or a virtual environment."""

_BY_PROGRAMS = re.compile(r"\.coverage(\..*)?$|\.DS_Store$|.*\.py[co]$|.*~$|\..*\.sw[a-p]$")
"""Files that testing, editing or running a project writes."""


def files(directory: str) -> Iterator[str]:
    """Yield the ordinary files of a project that a build may read, in an order that is always the same.

    Not those that programs write there: byte code, caches, what an earlier build left. Links to directories are
    followed, each directory once, unless they lead to where the project itself is.
    """
    top = os.path.realpath(directory)
    seen: set[str] = set()
    for parent, names, found in os.walk(directory, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen or (parent != directory and (os.path.commonpath([real, top]) == real or _is_put_aside(parent))):
            names.clear()
            continue
        seen.add(real)
        skipped = _NOT_READ if parent == directory else ()
        names[:] = sorted(name for name in names if name not in skipped and not _WRITTEN.match(name))
        paths = (os.path.join(parent, name) for name in sorted(found) if not _BY_PROGRAMS.match(name))
        yield from (path for path in paths if os.path.isfile(path))


def _is_put_aside(directory: str) -> bool:
    """Tell whether a directory is a cache or an environment, or its own `.gitignore` says that nothing is source."""
    if any(os.path.lexists(os.path.join(directory, mark)) for mark in _MARKS):
        return True
    try:
        with open(os.path.join(directory, ".gitignore"), "rb") as file:
            return b"*" in file.read(4096).split()
    except OSError:
        return False
