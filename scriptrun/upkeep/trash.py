"""Remove directories: out of the way at once, by one rename, and from the disk whenever there is time."""

from __future__ import annotations

import contextlib
import os
import stat

from scriptrun import extent, paths


def put(cache: str, environment: str) -> str:
    """Move an environment out of its place and return where it is then. Raises OSError."""
    directory = paths.trash(cache)
    if os.path.islink(directory):
        paths.remove(directory)  # else everything where it leads to would be deleted
    paths.make_directories(directory)
    key, generation = environment.split(os.sep)[-2:]
    path = os.path.join(directory, f"{key}.{generation}")
    os.rename(environment, path)
    return path


def empty(cache: str) -> int:
    """Delete all that was put here, also by those who died before they could; return the bytes that this freed."""
    if os.path.islink(paths.trash(cache)):
        return 0
    try:
        names = os.listdir(paths.trash(cache))
    except OSError:
        return 0
    return sum(delete(os.path.join(paths.trash(cache), name)) for name in names)


def delete(path: str) -> int:
    """Delete a file, or a directory with all that is in it; return the bytes that this freed.

    Links are removed, never followed; directories that nobody may write to are no obstacle. What cannot be deleted
    stays.
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
            os.rmdir(one) if is_directory else os.unlink(one)
            freed += room
    return freed


def _content(directory: str) -> list[str]:
    """Return what is in a directory, which can be changed from now on."""
    os.chmod(directory, 0o700)
    return [os.path.join(directory, name) for name in os.listdir(directory)]
