"""Never two at once: a lock that belongs to a script's process, from before its environment is made until it ends.

A POSIX record lock, not `flock`: `exec` keeps it, children do not share it however long they live, and it goes with the
process, whatever that dies of. It also goes when the process closes any descriptor of the file, so nothing opens it
again once it is held.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from scriptrun.request import Request

from scriptrun import output, paths
from scriptrun.errors import CacheError, UsageError

_RUNS, _LOOKS = 0, 1
"""The bytes that are locked: the first by the script's process; the other, for a moment, by whoever wants the first, or
wants to remove the file, which must not be taken for a run."""

_DESCRIPTOR = 200
"""Where the lock is if that is free: out of the way of programs that count on low numbers."""

_LOWEST = 10
"""Where it may be: shells redirect those below."""


def enter(request: "Request", status: int) -> "int | None":
    """Keep all others from running the same program as long as this process lives, whatever program it becomes.

    Returns None, or where it runs already the status to end with, which is `status`, and says so unless that is 0.
    Raises CacheError and UsageError: nothing runs unprotected.
    """
    if sys.platform == "win32":
        raise UsageError("`no-overlap` needs locks that Windows does not have", hint="take the option out")
    path = _file(request)
    try:
        descriptor, ours = _lock(path)
    except OSError as error:
        raise CacheError(
            f"`{request.name}` cannot be kept from running twice: `{path}` cannot be locked: {error.strerror}",
            hint="set SCRIPTRUN_CACHE_DIR to a directory of this machine that you can write to",
        ) from None
    if ours:
        _describe(descriptor, request.beside[0] or request.name)
        return None
    options = request.invocation.options
    if options.flag("verbose") or (status and not options.flag("quiet")):
        output.note(f"{request.name} {_holder(descriptor) or 'runs already'}")
    return status


def seen(request: "Request") -> str:
    """Return `runs already (process PID)` where the program of `request` does, as far as the system tells, else `""`.

    Unlike a try to lock, this is in nobody's way. Raises CacheError.
    """
    try:
        descriptor = os.open(_file(request), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> bool:
    """Remove the file of a lock, and tell whether that was done: nobody has the lock. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        free = _have(descriptor, _LOOKS) and _have(descriptor, _RUNS) and paths.is_at(path, descriptor)
        if free:
            os.unlink(path)
        return free
    finally:
        os.close(descriptor)


def _file(request: "Request") -> str:
    """Return the file that is locked while the program of `request` runs. Raises CacheError."""
    import hashlib  # takes two milliseconds

    name = hashlib.sha256(os.fsencode(request.identity)).hexdigest()
    return paths.running(request.caches.writable(), name)


def _lock(path: str) -> "tuple[int, bool]":
    """Return an open descriptor of the file at `path`, made if need be, and whether the lock is ours. Raises OSError.

    Who opened a file that was then removed has nothing, and tries again.
    """
    import fcntl

    while True:
        descriptor = _open(path)
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, _LOOKS)
        if paths.is_at(path, descriptor):
            ours = _have(descriptor, _RUNS)
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _LOOKS)
            return descriptor, ours
        os.close(descriptor)


def _open(path: str) -> int:
    """Open the file at `path`, made if need be, for this process and the program that it becomes. Raises OSError.

    A script that starts itself anew by `exec` comes with the lock, which must not be let go.
    """
    for name in os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else (str(_DESCRIPTOR),):
        if int(name) >= _LOWEST and paths.is_at(path, int(name)):
            return int(name)
    import fcntl

    descriptor = paths.open_lock(path)
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, _DESCRIPTOR)
    except OSError:  # the process may have none so high
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, _LOWEST)
    os.close(descriptor)
    return moved


def _have(descriptor: int, byte: int) -> bool:
    """Lock a byte if nobody else has, and tell whether it is locked now. Raises OSError where locks do not work."""
    import fcntl

    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):  # which of them it is depends on the system
        return False
    return True


def _describe(descriptor: int, name: str) -> None:
    """Write into the file what it is for, unless it says so: people may look."""
    text = os.fsencode(name) + b"\n"
    try:
        if os.pread(descriptor, len(text) + 1, 0) != text:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text, 0)
    except OSError:  # the disk is full
        pass


def _holder(descriptor: int) -> str:
    """Return that it runs already, with the number of the process where that can be told; `""` where nobody has it."""
    if sys.platform != "linux":
        return ""
    import fcntl
    import struct

    layout = "hhqqi0q"  # `struct flock`: type, whence, start, length, process
    asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, _RUNS, 1, 0)
    kind, _, _, _, process = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return ""
    return f"runs already (process {process})" if process > 0 else "runs already"  # 0: in another container
