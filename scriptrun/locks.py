"""Locks on files: the kernel's (flock), so that a dead holder has none. They block, where libraries would poll.

Who has one writes its process id into the file, and touches it as it gets on; those who wait look at that.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from scriptrun import paths, signals
from scriptrun.patience import Stalled, Watchdog


@contextlib.contextmanager
def hold(path: str, waiting: Callable[[], None] | None = None, allowed: float = math.inf) -> Iterator[bool]:
    """Hold the lock of the file at `path` during the block; yield False where `take` returns None.

    Raises OSError, Interrupted and Stalled.
    """
    descriptor = take(path, waiting, allowed)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def take(path: str, waiting: Callable[[], None] | None = None, allowed: float = math.inf) -> int | None:
    """Lock the file at `path`, made if need be; return what holds the lock.

    If somebody else has it, call `waiting` and wait; without `waiting`, return None at once. Also None where locks do
    not work. Raises OSError, Interrupted, and Stalled when who has it stood still for `allowed` seconds, or gave up.
    """
    try:
        import fcntl  # noqa: F401 - not on Windows
    except ImportError:
        return None
    while True:
        descriptor = paths.open_lock(path)
        try:
            waited = _lock(descriptor, waiting, allowed)
            if paths.is_at(path, descriptor):
                if waited:
                    _heed(descriptor)
                paths.sign(descriptor)
                return descriptor
        except OSError:  # somebody has it, or file systems without locks
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # whoever had the lock has removed the file


def touch(path: str) -> None:
    """Let those who wait for the lock of the file at `path`, which the caller holds, know that it gets on."""
    with contextlib.suppress(OSError):
        os.utime(path)


def leave(path: str, word: str) -> None:
    """Let those who wait for the lock of the file at `path`, which the caller holds, know why it gave up."""
    with contextlib.suppress(OSError), open(path, "r+b") as file:
        file.write(f"{os.getpid()}\n{word}".encode())


def _lock(descriptor: int, waiting: Callable[[], None] | None, allowed: float) -> bool:
    """Lock an open file; tell whether somebody else had it. Raises OSError, Interrupted and Stalled."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting is None:
            raise
    else:
        return False
    waiting()
    try:
        with signals.waiting(), nullcontext() if math.isinf(allowed) else _watching(descriptor, allowed):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except Stalled as why:
        holder = _holder(descriptor)
        raise Stalled(f"{f'process {holder}' if holder else 'another run'}, which prepares it, {why}") from None
    return True


def _watching(descriptor: int, allowed: float) -> AbstractContextManager[None]:
    """Look during a block whether who has the lock of an open file gets on."""
    watchdog = Watchdog(allowed, lambda: os.fstat(descriptor).st_mtime_ns)
    return signals.every(watchdog.tick, lambda: watchdog.look(_holder(descriptor)))


def _heed(descriptor: int) -> None:
    """Raise Stalled if the last who had the lock gave up: what it waited for will not come for those who waited too."""
    word = os.pread(descriptor, 1000, 0).decode(errors="replace").partition("\n")[2]
    if word:
        raise Stalled(f"another run, which this one waited for, gave up: {word}")


def _holder(descriptor: int) -> int:
    """Return the process that has the lock, 0 where it is not known."""
    number = os.pread(descriptor, 20, 0).partition(b"\n")[0]
    return int(number) if number.isdigit() else 0
