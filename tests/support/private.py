"""A private copy of an interpreter, which a test may let be written to, or take away."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path


def copy(python: Path, directory: Path) -> Path:
    """Return a Python in `directory`: a binary of its own, links to the standard library, an empty site-packages."""
    real = Path(os.path.realpath(python))
    library = real.parent.parent / "lib" / real.name
    assert library.is_dir(), f"{real} has no library at {library}"
    own = directory / "lib" / real.name
    (own / "site-packages").mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name not in ("site-packages", "dist-packages", "__pycache__"):
            (own / entry.name).symlink_to(entry)
    (directory / "bin").mkdir()
    return Path(shutil.copy2(real, directory / "bin" / real.name))


def digest(directory: Path) -> str:
    """Return what changes when a file is written below a directory; links are not followed.

    Bytecode does not count: the interpreter caches its own when it starts.
    """
    lines = []
    for path in sorted(directory.rglob("*")):
        if "__pycache__" not in path.parts and not path.is_dir():
            status = path.lstat()
            lines.append(f"{path} {status.st_mode} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
