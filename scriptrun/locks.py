"""Locks on files: the kernel's (flock), so that a dead holder has none. They block, where libraries would poll."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from scriptrun import paths, process


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
    """Lock the file at `path`, made if need be; return what holds the lock. Raises OSError and Interrupted.

    If somebody else has it, call `waiting` and wait; without `waiting`, return None at once. Also None where locks do
    not work.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    while True:
        descriptor = paths.open_lock(path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is None:
                    raise
                waiting()
                with process.waiting():
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # somebody has it, or file systems without locks
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        if paths.is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # whoever had the lock has removed the file
