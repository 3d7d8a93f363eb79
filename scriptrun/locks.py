"""Locks on files: the kernel's (flock), so that a dead holder has none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from scriptrun import paths


@contextlib.contextmanager
def hold(path: str, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
    """Hold the lock of the file at `path` during the block; yield False where `take` returns None. Raises OSError."""
    descriptor = take(path, waiting)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def take(path: str, waiting: Callable[[], None] | None = None) -> int | None:
    """Lock the file at `path`, made if need be, and return the descriptor that holds the lock. Raises OSError.

    If somebody else has it, call `waiting` and wait; without `waiting`, return None at once. Also None where locks do
    not work.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    paths.make_directories(os.path.dirname(path))
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is None:
                    raise
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor):
                os.fchmod(descriptor, 0o600)  # whatever the umask took away
                return descriptor
        except OSError:  # somebody has it, or file systems without locks
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(path: str, descriptor: int) -> bool:
    """Tell whether the file is still the one at `path`: whoever held its lock may have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
