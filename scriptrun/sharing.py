"""The system's cache: filled by its owner, read by everybody."""

from __future__ import annotations

import os
import shlex
import stat

from scriptrun import location, paths
from scriptrun.errors import CacheError


def open_system_cache(path: str) -> str:
    """Return the cache at `path`, made if need be, to be filled. Raises CacheError where others could write to it."""
    path = paths.absolute(path)
    try:
        _make(path)
    except OSError as error:
        raise CacheError(
            f"the system's cache `{path}` cannot be made: {error.strerror}",
            hint="fill it as root, or set SCRIPTRUN_SYSTEM_CACHE to a directory of your own",
        ) from None
    doubt = location.doubt_about(path)
    if doubt:
        raise CacheError(
            f"the system's cache `{path}` is not safe: {doubt}",
            hint="it and all directories above it have to belong to root (or you), and nobody else may write there",
        )
    if os.stat(path).st_mode & 0o005 != 0o005:
        raise CacheError(
            f"the system's cache `{path}` is not for everybody to read",
            hint=f"run: chmod a+rx {shlex.quote(path)}",
        )
    return path


def out_of_reach(path: str, bits: int = 0o001) -> str:
    """Return what on the way to the program `path` keeps other users from running it, `""`: nothing.

    `bits` are those that its mode has to have.
    """
    real = os.path.realpath(path)
    directory = os.path.dirname(real)
    if os.stat(real).st_mode & bits != bits:
        return real
    while True:
        if not os.stat(directory).st_mode & 0o001:
            return directory
        if directory == os.path.dirname(directory):
            return ""
        directory = os.path.dirname(directory)


def _make(path: str) -> None:
    """Make the directory `path` and what is missing above it, for everybody to read, whatever the umask."""
    if not os.path.isdir(path):
        _make(os.path.dirname(path))
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:  # another one makes it too
            if not os.path.isdir(path):
                raise
            return
        os.chmod(path, 0o755)  # noqa: S103 - it is for everybody to read


def open_to_readers(cache: str, environment: str) -> None:
    """Let everybody read and use an environment of `cache`, and find it. Raises OSError.

    The manifest comes last: who can read that finds all the rest readable.
    """
    manifest = paths.manifest(environment)
    for directory, names, files in os.walk(environment):
        for path in (directory, *(os.path.join(directory, name) for name in (*names, *files))):
            if path != manifest and not os.path.islink(path):
                _open(path)
    _open(manifest)
    key = os.path.dirname(environment)
    for path in (os.path.dirname(key), key, paths.pointer(cache, os.path.basename(key))):
        _open(path)
        _open(os.path.dirname(path))


def open_answer(path: str) -> None:
    """Let everybody read a remembered answer. Raises OSError."""
    _open(os.path.dirname(path))
    _open(path)


def _open(path: str) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | (0o555 if mode & 0o100 else 0o444))
