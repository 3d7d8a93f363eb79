"""Run other programs: the only importer of `subprocess`."""

from __future__ import annotations

import codecs
import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, NamedTuple

from scriptrun import signals
from scriptrun.patience import Watchdog

TimeoutExpired = subprocess.TimeoutExpired

_GRACE = 10.0
"""For how many seconds a program may end what it started; it takes as many milliseconds."""

_FAREWELL = 1.0
"""For how many seconds a program that accompanies this one may end by itself."""


class Finished(NamedTuple):
    """What a program did: its exit status and all it wrote to stdout and stderr, in its order."""

    status: int
    output: str


class Exchanged(NamedTuple):
    """What a program answered: its exit status, the bytes of its stdout, and the text of its stderr."""

    status: int
    output: bytes
    complaints: str


def run(  # noqa: PLR0913 - all but the command by name
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: str,
    timeout: float | None = None,
    show: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
    watchdog: Watchdog | None = None,
    ends_its_own: bool = False,
) -> Finished:
    """Run `command` with nothing on stdin, in a session of its own, and wait for it.

    Each line it writes is given to `show` as it comes. `timeout` is in seconds. `meanwhile` is called when it runs.
    `watchdog` looks at it again and again, except on Windows. However the wait ends, nothing is left of the process's
    group. A pipe at the descriptor that SCRIPTRUN_LIFELINE names breaks then, and when this process dies. What
    `ends_its_own` ends all that it started, in whatever group or session, when that happens, and is given the time.
    Raises OSError, subprocess.TimeoutExpired, Interrupted, and what `watchdog` raises.
    """
    lifeline, kept = _pipe()
    with open(kept, "wb", buffering=0) as holder, signals.told_of_children():
        process = _start(command, environment, directory, lifeline)
        try:
            if meanwhile is not None:
                meanwhile()
            with signals.waiting():
                output = _read(process, timeout, show, watchdog)
        finally:
            holder.close()
            if ends_its_own:
                _let_end(process)
            status = _end(process)
    return Finished(status, output)


def exchange(
    command: Sequence[str], environment: Mapping[str, str], given: bytes, timeout: float | None = None
) -> Exchanged:
    """Run a program, with `given` on stdin, in a session of its own, which ends after `timeout` seconds.

    There is no interruption. Raises OSError, and subprocess.TimeoutExpired.
    """
    with signals.told_of_children():
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
        )
        with process:
            try:
                output, complaints = process.communicate(given, timeout)
            except BaseException:
                _kill(process)
                raise
    return Exchanged(process.returncode, output, complaints.decode("utf-8", "backslashreplace"))


def wait_for(command: Sequence[str] | str, directory: str, *, console: bool = False) -> int:
    """Run a program that the user sees, wait for it however long it takes, and return its exit status.

    On Windows `command` may be a line, and with `console` it gets a new one. Raises OSError.
    """
    flags = getattr(subprocess, "CREATE_NEW_CONSOLE", 0) if console else 0
    return subprocess.call(command, cwd=directory, creationflags=flags)


class Companion:
    """A program beside this one, told things on stdin until it ends or is ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def ending(self) -> int:
        """A descriptor that can be read from when the program has written something, or ended."""
        return _stream(self._process.stdout).fileno()

    def say(self, text: bytes) -> None:
        """Give it a text, or a part of one if it does not read; nothing if it has gone."""
        with suppress(OSError):
            _stream(self._process.stdin).write(text)

    def end(self) -> int:
        """End it with all it started, if it has not ended by itself in a moment, and return its status."""
        _stream(self._process.stdin).close()
        try:
            status = self._process.wait(_FAREWELL)
        except TimeoutExpired:
            _kill(self._process)
            status = self._process.wait()
        _stream(self._process.stdout).close()
        return status


def accompany(command: Sequence[str], environment: Mapping[str, str]) -> Companion:
    """Start a program in a session of its own, which is told things as they come. Raises OSError."""
    process = subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    )
    os.set_blocking(_stream(process.stdin).fileno(), False)
    return Companion(process)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a stream of a process that was started with it."""
    if stream is None:
        raise ValueError("the process has no such stream")
    return stream


def detach(work: Callable[[], object], kept: Collection[int] = ()) -> None:
    """Let another process do `work`, and go on at once. Raises OSError.

    It is not a child of this one, unless this is PID 1, which may become a program that waits for its children. It has
    a session of its own and no descriptors of this one's but those `kept`; its standard streams lead nowhere. It is in
    `/`.
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


def is_init() -> bool:
    """Tell whether this is PID 1, of a container as a rule: it adopts orphans, and all others end with it."""
    return os.getpid() == 1


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


def _read(
    process: subprocess.Popen[str], timeout: float | None, show: Callable[[str], None] | None, watchdog: Watchdog | None
) -> str:
    """Return all that a process writes, when it has ended."""
    if timeout is not None:
        return process.communicate(timeout=timeout)[0]
    lines = []
    for line in _lines(process, watchdog):
        lines.append(line)
        if show is not None:
            show(line.rstrip())
    _await_end(process, watchdog)
    return "".join(lines)


def _lines(process: subprocess.Popen[str], watchdog: Watchdog | None) -> Iterator[str]:
    """Yield the lines that a process writes, as they come; `watchdog` looks meanwhile."""
    if process.stdout is None:
        return
    if watchdog is None or sys.platform == "win32":
        yield from process.stdout
        return
    descriptor = process.stdout.fileno()
    ready = select.poll()  # `select.select` takes no descriptor above 1023
    ready.register(descriptor, select.POLLIN)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("backslashreplace"), translate=True)
    text, chunk = "", b"-"
    while chunk:
        if ready.poll(watchdog.tick * 1000):
            chunk = os.read(descriptor, 1 << 16)
            *lines, text = (text + decoder.decode(chunk, final=not chunk)).split("\n")
            yield from (f"{line}\n" for line in lines)
        watchdog.look(process.pid)
    if text:
        yield text


def _await_end(process: subprocess.Popen[str], watchdog: Watchdog | None) -> None:
    """Wait for the end of a process and leave it a zombie, where that is possible: its group keeps its number."""
    if not hasattr(os, "waitid"):
        process.wait()
        return
    how = os.WEXITED | os.WNOWAIT
    if watchdog is None:
        os.waitid(os.P_PID, process.pid, how)
        return
    pause = 0.001  # who has closed all output ends in a moment
    while os.waitid(os.P_PID, process.pid, how | os.WNOHANG) is None:
        time.sleep(pause)
        pause = min(2 * pause, watchdog.tick)
        watchdog.look(process.pid)


def _let_end(process: subprocess.Popen[str]) -> None:
    """Wait a while for a process that ends by itself, and leave it a zombie, where that is possible."""
    if process.returncode is not None or not hasattr(os, "waitid"):
        return
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGCONT)  # it may have been stopped
        give_up = time.monotonic() + _GRACE
        while time.monotonic() < give_up:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                return
            time.sleep(0.01)


def _kill(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill a process with its group, if it has not been waited for."""
    try:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()


def _end(process: subprocess.Popen[str]) -> int:
    """End what still runs of a process's group; return its status."""
    _kill(process)
    if process.stdout is not None:
        process.stdout.close()
    status = process.wait()
    if is_init():
        with suppress(ChildProcessError):
            while True:  # its orphans were adopted; nobody else waits for them, and a script might be told of them
                os.waitpid(-process.pid, 0)
    return status
