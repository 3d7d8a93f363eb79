"""How much room a directory takes on disk, and how much of it comes back when it is removed."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass

_BLOCK = 512
"""The unit of `st_blocks`, in bytes, whatever the file system's own is."""


@dataclass(frozen=True)
class Extent:
    """What the files of a directory hold, in bytes, and what removing it frees: allocated blocks of what goes then."""

    size: int
    freed: int

    def __add__(self, other: Extent) -> Extent:
        """Return both together."""
        return Extent(self.size + other.size, self.freed + other.freed)


def measure(directory: str) -> Extent:
    """Return the extent of a directory and all below it; links are not followed, and what is gone takes nothing.

    A file that has another name, perhaps elsewhere, frees nothing: the other name keeps it.
    """
    found = Extent(0, 0)
    with contextlib.suppress(OSError):
        found = _of(os.lstat(directory))
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    found += measure(entry.path)
                else:
                    found += _of(entry.stat(follow_symlinks=False))
    return found


def _of(status: os.stat_result) -> Extent:
    allocated = getattr(status, "st_blocks", -(-status.st_size // _BLOCK)) * _BLOCK  # Windows tells no blocks
    if stat.S_ISDIR(status.st_mode):
        return Extent(0, allocated)
    return Extent(status.st_size, allocated if status.st_nlink < 2 else 0)
