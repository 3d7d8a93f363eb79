"""Put a file of the store into an environment, or the other way round, without a second copy of what it holds.

A clone (reflink) shares blocks, and goes its own way when it is written to; a hard link is the same file. Which of them
a file system has shows with the first file; what has neither gets copies.
"""

import errno
import os
import stat
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

_FICLONE = 0x40049409
"""Linux: let a file have what another one holds. It has another number on few machines, where this one is refused."""

_IMPOSSIBLE = (
    errno.EXDEV,
    errno.EPERM,
    errno.EACCES,
    errno.EINVAL,
    errno.ENOTTY,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
)
"""What says that something is not to be had between two directories, for any file."""


class Placing:
    """Ways to share files between two directories: those that did not turn out to be impossible, the best first."""

    __slots__ = ("_ways",)

    def __init__(self) -> None:
        self._ways: list[Callable[[str, str], None]] = [*([_clone] if sys.platform == "linux" else []), os.link, _copy]

    def share(self, source: str, target: str) -> None:
        """Make `target` hold what the file `source` holds. Raises OSError.

        What was there gives way to it, as it does when pip installs.
        """
        try:
            self._ways[0](source, target)
        except FileExistsError:
            os.unlink(target)
            self.share(source, target)
        except OSError as error:
            if error.errno == errno.EMLINK:  # none more of this file
                _copy(source, target)
            elif error.errno in _IMPOSSIBLE and self._ways[1:]:
                del self._ways[0]
                self.share(source, target)
            else:
                raise


def _clone(source: str, target: str) -> None:
    import fcntl  # not there on Windows

    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(reading)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.ioctl(writing, _FICLONE, reading)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fchmod(writing, stat.S_IMODE(status.st_mode))
        except OSError:
            os.unlink(target)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy(source: str, target: str) -> None:
    import shutil  # half of a Python start

    if os.path.lexists(target):  # `copy2` would write to it, and perhaps to a file of the store
        os.unlink(target)
    shutil.copy2(source, target)


def protect(path: str) -> None:
    """Let nobody write to a file in place, by whichever name. Raises OSError."""
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    if mode & _WRITABLE:
        os.chmod(path, mode & ~_WRITABLE)
