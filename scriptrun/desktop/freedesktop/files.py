"""Files of a desktop's, as they are read, written, and put back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from scriptrun.editing import document


def read(path: str) -> bytes | None:
    """Return what a file holds, None where there is none. Raises OSError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def readable(path: str) -> bytes:
    """Return what a file holds, nothing where it cannot be read."""
    try:
        return read(path) or b""
    except OSError:
        return b""


def put(path: str, content: bytes) -> None:
    """Let the file at `path` hold `content`, whole. Raises EditError and OSError."""
    if os.path.exists(path):
        document.write(document.read(path), content)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        document.create(path, content, 0o666)


def restore(path: str, content: bytes | None) -> None:
    """Let the file at `path` hold `content` again, None: there is to be none. Raises EditError and OSError."""
    if content is not None:
        put(path, content)
    elif os.path.lexists(path):
        os.unlink(path)


def missing_directories(targets: Iterable[str]) -> list[str]:
    """Return the directories that are not there and in which files are to be."""
    found = set()
    for path in targets:
        directory = os.path.dirname(path)
        while not os.path.isdir(directory):
            found.add(directory)
            directory = os.path.dirname(directory)
    return sorted(found)


def remove_directories(directories: Iterable[str]) -> None:
    """Remove those that are empty."""
    for directory in sorted(directories, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(directory)
