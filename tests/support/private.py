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
    """Return what changes when a file below a directory is made, changed or removed, but for cached bytecode."""
    lines = []
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        if "__pycache__" not in path.parts and not path.is_dir():
            lines.append(f"{path} {status.st_mode} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
