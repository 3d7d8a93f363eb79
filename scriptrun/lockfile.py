"""Find the lock of a script: `pylock.NAME.toml` beside the file, links followed. What it says, `pinning` reads."""

import os
import stat

from scriptrun import paths
from scriptrun.errors import LockError

MAX_LOCK = 16 * 1024 * 1024
"""The longest lock that is read, in bytes; one with a thousand distributions has half of a million."""


def beside(script: str) -> "tuple[str, str]":
    """Return the real path of a script, and where its lock is if it has one beside it."""
    real = paths.real(script)
    directory, name = os.path.split(real)
    for suffix in (".py", ".pyw"):
        if name.endswith(suffix) and name != suffix:
            name = name[: -len(suffix)]
            break
    return real, os.path.join(directory, f"pylock.{name.replace('.', '-')}.toml")


def read(path: str) -> "bytes | None":
    """Return what the lock at `path` holds, None where there is none. Raises LockError for what cannot be read."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LockError("the lock is not an ordinary file", place=path)
            content = file.read(MAX_LOCK + 1)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise LockError("the lock is a link that leads nowhere", place=path) from None
        return None
    except OSError as error:
        raise LockError(f"the lock cannot be read: {error.strerror}", place=path) from None
    if len(content) > MAX_LOCK:
        raise LockError(f"the lock is longer than the {MAX_LOCK} bytes that are read", place=path)
    return content


def _open_at_once(path: str, flags: int) -> int:
    """Open `path` without waiting for whoever might write to a pipe in its place."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
