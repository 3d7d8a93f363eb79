"""Delete what is below a directory, whatever its modes, and tell how much room that gave back."""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from scriptrun import extent


def delete(path: str) -> int:
    """Delete a file, or a directory with all that is in it; return the bytes that this freed.

    Links are removed, never followed; directories that nobody may write to are no obstacle. What cannot be deleted
    stays. One free descriptor is enough: `rmtree` takes two for each level.
    """
    freed = 0
    rest = [(path, False)]
    while rest:
        one, emptied = rest.pop()
        with contextlib.suppress(OSError):
            is_directory = stat.S_ISDIR(os.lstat(one).st_mode)
            if is_directory and not emptied:
                rest.append((one, True))
                rest += [(inside, False) for inside in _content(one)]
                continue
            room = extent.measure(one).freed
            os.rmdir(one) if is_directory else _unlink(one)
            freed += room
    return freed


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except PermissionError:
        if sys.platform != "win32":
            raise
        os.chmod(path, stat.S_IWRITE)  # there, a file that nobody may write to cannot be removed
        os.unlink(path)


def empty(directory: str) -> None:
    """Delete all that is in a directory, which stays. Raises OSError."""
    for path in _content(directory):
        delete(path)


def _content(directory: str) -> list[str]:
    """Return what is in a directory, which can be changed from now on."""
    os.chmod(directory, 0o700)
    return [os.path.join(directory, name) for name in os.listdir(directory)]
