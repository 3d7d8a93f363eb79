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

_LACKING = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOENT, errno.ENOTDIR)
"""What no other way would help against; whatever else a file system says of a file, it may do so of this way alone."""


class Placing:
    """Ways to share files between two directories: those that did not turn out to be impossible, the best first."""

    __slots__ = ("_ways",)

    def __init__(self) -> None:
        self._ways: list[Callable[[str, str], None]] = [*([_clone] if sys.platform == "linux" else []), os.link, _copy]

    def share(self, source: str, target: str) -> None:
        """Make a new file `target` that holds what `source` holds. Raises OSError: FileExistsError if there is one."""
        for way in self._ways[:]:
            try:
                way(source, target)
                return
            except OSError as error:
                final = isinstance(error, FileExistsError) or error.errno in _LACKING
                if final or way is self._ways[-1]:
                    raise
                if error.errno in _IMPOSSIBLE:
                    self._ways.remove(way)

    def replace(self, source: str, target: str) -> None:
        """Make `target` hold what `source` holds; if that fails, it is what it was. Raises OSError."""
        new = f"{target}.{os.urandom(4).hex()}"
        try:
            self.share(source, new)
            os.replace(new, target)
        except OSError:
            if os.path.lexists(new):
                os.unlink(new)
            raise
        if os.path.lexists(new):  # both were one file already: then a rename does nothing
            os.unlink(new)


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
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    try:
        shutil.copy2(source, target)
    except OSError:
        if os.path.lexists(target):
            os.unlink(target)
        raise


def protect(path: str) -> None:
    """Let nobody write to a file in place, by whichever name. Raises OSError."""
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    if mode & _WRITABLE:
        os.chmod(path, mode & ~_WRITABLE)
