"""A script that runs until it is told to end, started by its own name or by others."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import watch
from support.user import Finished, User

WAIT = """\
import os, sys
if sys.argv[1:2] == ["wait"]:
    with open({up!r}, "w") as up:
        up.write(str(os.getpid()))
    with open({go!r}) as go:
        go.readline()
print("ran")
"""
"""With the argument `wait`, says that it runs and goes on when it is told to."""


class Job:
    """A user's script, in whose block the lines of `head` stand, and FIFOs to talk to it."""

    def __init__(self, user: User, head: str = "", *requirements: str) -> None:
        self.user = user
        self.up, self.go = user.directory / "up", user.directory / "go"
        for fifo in (self.up, self.go):
            os.mkfifo(fifo)
        self.text = self.block(head, *requirements)
        self.script = user.write("s.py", self.text + self.waiting, executable=True)

    @staticmethod
    def block(head: str, *requirements: str) -> str:
        """Return the first lines of a script: with these lines in its block, which asks for these requirements."""
        lines = [f"dependencies = {list(requirements)}", *head.splitlines()]
        return "#!/usr/bin/env scriptrun\n# /// script\n" + "".join(f"# {line}\n" for line in lines) + "# ///\n"

    @property
    def waiting(self) -> str:
        """What makes a program say that it runs, and wait."""
        return WAIT.format(up=str(self.up), go=str(self.go))

    @contextmanager
    def running(self, *words: str | Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Start the script, or the command `words`; the block is entered when it runs and killed at the end."""
        process = watch.start(self.user, *(words or (self.script,)), "wait", variables=variables)
        try:
            said = watch.receive(self.up)
            assert said.strip() == str(process.pid)
            yield process
        finally:
            process.kill()
            process.communicate()

    def release(self, process: subprocess.Popen[str]) -> Finished:
        """Let a process that waits go on, and return how it ended."""
        descriptor = os.open(self.go, os.O_RDWR)
        try:
            os.write(descriptor, b"\n")
            status, out, err = watch.end(process)
        finally:
            os.close(descriptor)
        return Finished(status, out, err)

    def start(self, *words: str | Path, **variables: str) -> Finished:
        """Start the script, or the command `words`, and wait for its end."""
        return self.user.run(*(words or (self.script,)), stdin=b"", cwd=None, **variables)


def kill(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Kill a process and wait until it is dead."""
    process.send_signal(number)
    process.wait()
