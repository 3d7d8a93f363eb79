"""Run other programs: the only importer of `subprocess`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scriptrun.errors import Interrupted

TimeoutExpired = subprocess.TimeoutExpired

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


@dataclass(frozen=True)
class Finished:
    """What a program did: its exit status and all it wrote to stdout and stderr, in its order."""

    status: int
    output: str


@dataclass(frozen=True)
class Exchanged:
    """What a program answered: its exit status, the bytes of its stdout, and the text of its stderr."""

    status: int
    output: bytes
    complaints: str


class _Signal:
    """The signal that asked this process to end (0: none has), and whether it may take effect at once."""

    number = 0
    waiting = False


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn a signal that would end this process into Interrupted: raised by `waiting`, or at the end of the block.

    Elsewhere it is only noted, so that nothing is left half done. Signals that do not have their default effect keep
    the one they have.
    """

    def note(number: int, _frame: types.FrameType | None) -> None:
        _Signal.number = _Signal.number or number
        if _Signal.waiting:
            _Signal.waiting = False
            raise Interrupted(_Signal.number)

    previous = {}
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            previous[number] = signal.signal(number, note)
    try:
        yield
        if _Signal.number:
            raise Interrupted(_Signal.number)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _Signal.number = 0


@contextmanager
def waiting() -> Iterator[None]:
    """Let a signal, also one noted before, end the wait that the block is. Raises Interrupted."""
    _Signal.waiting = True
    try:
        if _Signal.number:
            raise Interrupted(_Signal.number)
        yield
    finally:
        _Signal.waiting = False


def run(  # noqa: PLR0913 - all but the command by name
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: str,
    timeout: float | None = None,
    show: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Finished:
    """Run `command` with nothing on stdin, in a session of its own, and wait for it.

    Each line it writes is given to `show` as it comes. `timeout` is in seconds. `meanwhile` is called when it runs.
    However the wait ends, nothing is left of the process's group. A pipe at the descriptor that SCRIPTRUN_LIFELINE
    names breaks when this process dies. Raises OSError, subprocess.TimeoutExpired and Interrupted.
    """
    lifeline, kept = _pipe()
    try:
        process = _start(command, environment, directory, lifeline)
        try:
            if meanwhile is not None:
                meanwhile()
            with waiting():
                output = _read(process, timeout, show)
        finally:
            status = _end(process)
    finally:
        os.close(kept)
    return Finished(status, output)


def exchange(command: Sequence[str], environment: Mapping[str, str], given: bytes) -> Exchanged:
    """Run a program that ends soon, with `given` on stdin, in a session of its own. Raises OSError."""
    finished = subprocess.run(
        command, input=given, env=dict(environment), capture_output=True, check=False, start_new_session=True
    )
    return Exchanged(finished.returncode, finished.stdout, finished.stderr.decode("utf-8", "backslashreplace"))


def detach(work: Callable[[], object], kept: Collection[int] = ()) -> None:
    """Let another process do `work`, and go on at once. Raises OSError.

    It is not a child of this one, which may become a program that waits for its children. It has a session of its own
    and no descriptors of this one's but those `kept`; its standard streams lead nowhere. It is in `/`.
    """
    child = os.fork()
    if child:
        with suppress(ChildProcessError):  # a process that ignores its children's end is not told of it
            os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            _close_all_but(kept)
            work()
    finally:
        os._exit(0)


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


def _close_all_but(kept: Collection[int]) -> None:
    """Close all descriptors but those `kept`, and open those of the standard streams on nothing."""
    low = 0
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 20)  # the limit may have been lowered since one was opened
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe. The reading one, which a child gets, is none of 0 to 2, even if these are closed."""
    reading, writing = os.pipe()
    if reading > 2:
        return reading, writing
    import fcntl

    try:
        return fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 3), writing
    finally:
        os.close(reading)


def _start(
    command: Sequence[str], environment: Mapping[str, str], directory: str, lifeline: int
) -> subprocess.Popen[str]:
    """Start a process that has `lifeline`, which is closed here."""
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**environment, "SCRIPTRUN_LIFELINE": str(lifeline)},
            pass_fds=(lifeline,) if sys.platform != "win32" else (),
            start_new_session=True,
            umask=0o077,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
    finally:
        os.close(lifeline)


def _read(process: subprocess.Popen[str], timeout: float | None, show: Callable[[str], None] | None) -> str:
    """Return all that a process writes, when it has ended."""
    if timeout is not None:
        return process.communicate(timeout=timeout)[0]
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if show is not None:
            show(line.rstrip())
    _await_end(process)
    return "".join(lines)


def _await_end(process: subprocess.Popen[str]) -> None:
    """Wait for the end of a process and leave it a zombie, where that is possible: its group keeps its number."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def _end(process: subprocess.Popen[str]) -> int:
    """End what still runs of a process and of all that it started; return its status."""
    try:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()
    if process.stdout is not None:
        process.stdout.close()
    return process.wait()
