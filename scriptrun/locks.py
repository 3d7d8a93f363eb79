"""Locks on files: the kernel's (flock), so that a dead holder has none. They block, where libraries would poll."""

from __future__ import annotations

import contextlib
import os
import stat
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
        descriptor = _open(path)
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
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # whoever had the lock has removed the file


def _open(path: str) -> int:
    """Open the file that is locked, made if need be; a link, a directory or a pipe gives way to it. Raises OSError."""
    paths.make_directories(os.path.dirname(path))
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            paths.remove(path)
        elif mode & 0o600 != 0o600:
            os.chmod(path, 0o600)  # another file would not keep out those who have this one
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)  # whatever the umask took away
    return descriptor


def _is_at(path: str, descriptor: int) -> bool:
    """Tell whether an open file is the one at `path`."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False
