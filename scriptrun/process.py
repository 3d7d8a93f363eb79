"""Run other programs: the only importer of `subprocess`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from scriptrun.errors import Interrupted

TimeoutExpired = subprocess.TimeoutExpired

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


@dataclass(frozen=True)
class Finished:
    """What a program did: its exit status and all it wrote to stdout and stderr, in its order."""

    status: int
    output: str


@contextmanager
def interruptible() -> Iterator[None]:
    """Let signals that end a process raise Interrupted within the block, where they had their default effect."""

    def interrupt(number: int, _frame: types.FrameType | None) -> None:
        raise Interrupted(number)

    previous = {}
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            previous[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: str,
    timeout: float | None = None,
    show: Callable[[str], None] | None = None,
) -> Finished:
    """Run `command` with nothing on stdin, in a session of its own, and wait for it.

    Each line it writes is given to `show` as it comes. `timeout` is in seconds. Whatever ends the wait early ends the
    whole group. A pipe at the descriptor that SCRIPTRUN_LIFELINE names breaks when this process dies. Raises OSError
    and subprocess.TimeoutExpired.
    """
    lifeline, kept = os.pipe()
    try:
        process = subprocess.Popen(
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
    try:
        if timeout is not None:
            output, _ = process.communicate(timeout=timeout)
            return Finished(process.returncode, output)
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if show is not None:
                show(line.rstrip())
        return Finished(process.wait(), "".join(lines))
    finally:
        _end(process)
        os.close(kept)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, and all it started."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
