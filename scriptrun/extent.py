"""How much room a directory takes on disk, and how much of it comes back when it is removed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

_BLOCK = 512
"""The unit of `st_blocks`, in bytes, whatever the file system's own is."""


class Extent(NamedTuple):
    """What the files of a directory hold, and what is allocated for them, in bytes.

    `size` is what they hold, `linked` how much of that is in files that have another name, perhaps elsewhere; `taken`
    is what all of it takes on disk, `freed` what of that comes back when the directory is removed and nothing else.
    """

    size: int = 0
    linked: int = 0
    taken: int = 0
    freed: int = 0


class Shared(NamedTuple):
    """A file with several names: how many there are in one directory, how many in all, its bytes, and those on disk."""

    names: int
    links: int
    size: int
    taken: int


def measure(directory: str) -> Extent:
    """Return the extent of a directory and all below it; links are not followed, and what is gone takes nothing.

    A file that has another name, perhaps elsewhere, frees nothing: the other name keeps it.
    """
    size = linked = taken = freed = 0
    for status in _statuses(directory):
        blocks = _blocks(status)
        taken += blocks
        if stat.S_ISDIR(status.st_mode):
            freed += blocks
            continue
        size += status.st_size
        if status.st_nlink == 1:
            freed += blocks
        else:
            linked += status.st_size
    return Extent(size, linked, taken * _BLOCK, freed * _BLOCK)


def shared(directory: str) -> dict[int, Shared]:
    """Return the files below a directory that have another name, perhaps elsewhere, by their numbers."""
    found: dict[int, Shared] = {}
    for status in _statuses(directory):
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            names = found[status.st_ino].names + 1 if status.st_ino in found else 1
            found[status.st_ino] = Shared(names, status.st_nlink, status.st_size, _blocks(status) * _BLOCK)
    return found


def _statuses(directory: str) -> Iterator[os.stat_result]:
    """Yield what the system knows of a directory, or a file, and of each file and directory below it."""
    with contextlib.suppress(OSError):
        status = os.lstat(directory)
        yield status
        if not stat.S_ISDIR(status.st_mode):  # a link, perhaps: what it leads to is not below it
            return
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _statuses(entry.path)
                else:
                    yield entry.stat(follow_symlinks=False)


def _blocks(status: os.stat_result) -> int:
    if hasattr(status, "st_blocks"):
        return status.st_blocks
    return -(-status.st_size // _BLOCK)  # Windows does not tell
