"""Remove directories: out of the way at once, by one rename, and from the disk whenever there is time."""

from __future__ import annotations

import os

from scriptrun import deletion, paths


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
    return sum(deletion.delete(os.path.join(paths.trash(cache), name)) for name in names)
