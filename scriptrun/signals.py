"""Signals: when those that end this process take effect, what looks at its waits, and which of them stop it."""

from __future__ import annotations

import signal
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scriptrun.errors import Interrupted

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


class _Signal:
    """The signal that asked this process to end (0: none has), and whether it may take effect at once."""

    number = 0
    waiting = False
    work = ""


@contextmanager
def interruptible(work: str = "preparing the environment") -> Iterator[None]:
    """Turn a signal that would end this process into Interrupted: raised by `waiting`, or at the end of the block.

    Elsewhere it is only noted, so that nothing is left half done. Signals that do not have their default effect keep
    the one they have. `work` is what is interrupted, in words.
    """

    def note(number: int, _frame: types.FrameType | None) -> None:
        _Signal.number = _Signal.number or number
        if _Signal.waiting:
            _Signal.waiting = False
            raise Interrupted(_Signal.number, _Signal.work)

    previous, _Signal.work = {}, work
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            previous[number] = signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        noted, _Signal.number = _Signal.number, 0
    if noted:
        raise Interrupted(noted, work)


@contextmanager
def waiting() -> Iterator[None]:
    """Let a signal, also one noted before, end the wait that the block is. Raises Interrupted."""
    _Signal.waiting = True
    try:
        if _Signal.number:
            raise Interrupted(_Signal.number, _Signal.work)
        yield
    finally:
        _Signal.waiting = False


@contextmanager
def every(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    """Call `look` every so many seconds while the block waits for something; what it raises ends the block.

    Nothing of that is left after the block. An alarm that was set before this process started, as `timeout` programs
    do, ends the block when it is due, and goes off. Alarms that were blocked are let through meanwhile.
    """
    looking, begun = True, time.monotonic()

    def tick(number: int, _frame: types.FrameType | None) -> None:
        if looking and alarm[0] and time.monotonic() - begun >= alarm[0]:
            raise Interrupted(number, _Signal.work)
        if looking:
            look()

    alarm = (0.0, 0.0)
    previous = signal.signal(signal.SIGALRM, tick)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    alarm = signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        try:
            yield
        finally:
            looking = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, previous)
        if alarm[0]:
            signal.setitimer(signal.ITIMER_REAL, max(alarm[0] - (time.monotonic() - begun), 1e-6), alarm[1])


@contextmanager
def unstoppable() -> Iterator[None]:
    """Let no terminal stop this process within the block: it holds what others wait for."""
    names = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
    numbers = {getattr(signal, name) for name in names if hasattr(signal, name)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def told_of_children() -> Iterator[None]:
    """Let the ends of children be told within the block, also where it was handed down that they are ignored."""
    number = getattr(signal, "SIGCHLD", None)
    ignored = number is not None and signal.getsignal(number) == signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        if ignored:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
