"""Wait for events: a request that arrives at an index, processes that end."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from support.index import Index
from support.user import LIMIT, User


class Gate:
    """Holds an index's answers back: `arrived` is set by the first request, `open` lets all of them through."""

    def __init__(self, index: Index) -> None:
        self.arrived = threading.Event()
        self._opened = threading.Event()
        index.asked = self._hold

    def _hold(self, _path: str) -> None:
        self.arrived.set()
        self._opened.wait(LIMIT)

    def wait(self) -> None:
        """Wait until somebody asks."""
        assert self.arrived.wait(LIMIT)

    def open(self) -> None:
        """Let requests be answered from now on."""
        self._opened.set()


def start(
    user: User, *command: str | Path, variables: Mapping[str, str | None] | None = None, umask: int = -1
) -> subprocess.Popen[str]:
    """Start a command of a user, with pipes for stdout and stderr; a hanging one is killed in the end."""
    process = subprocess.Popen(
        command,
        cwd=user.directory,
        env=user.environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
    )
    timer = threading.Timer(LIMIT, process.kill)
    timer.daemon = True
    timer.start()
    return process


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process and return its status, stdout and stderr."""
    out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out, err


def receive(fifo: Path) -> str:
    """Wait until somebody writes to a FIFO and return what it is."""
    descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # not for reading alone: the writer before may close it yet
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(LIMIT * 1000), f"nobody writes to {fifo}"
        return os.read(descriptor, 1000).decode()
    finally:
        os.close(descriptor)


def processes(path: Path, but: int = 0) -> list[int]:
    """Return the processes, `but` one, that have `path` in their command line or work below it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), but):
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            directory = (entry / "cwd").readlink()
        except OSError:
            continue
        if os.fsencode(path) in words or directory.is_relative_to(path):
            found.append(int(entry.name))
    return found


def content(path: Path) -> bytes:
    """Return what a file of a process says; of one that has ended it is nothing."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def command_lines() -> str:
    """Return the command lines of all processes of this machine, as any user could read them."""
    lines = [content(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    return b"\n".join(lines).decode(errors="replace")


def await_end(pids: list[int]) -> None:
    """Wait until all these processes have ended."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            assert poll.poll(LIMIT * 1000), f"process {pid} does not end"
        finally:
            os.close(descriptor)
