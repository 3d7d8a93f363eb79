"""A network of a test's own with nothing but loopback, and nodes in it, each of which can be killed at once."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import everybody, watch
from support.user import LIMIT, Finished, User

PLACE = "/srv/job"
"""Where nodes see the directory that they share."""

_SETUP = """\
ip link set lo up
mount -t tmpfs tmpfs /srv
mkdir {place}
echo 127.0.0.1 localhost {names} >/srv/hosts
mount --bind /srv/hosts /etc/hosts
mount --bind "$1" {place}
echo ready
exec sleep 3600
"""


class Node:
    """A command that runs on a node, with all that it starts, as processes that see no others."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str | None] = []  # None is the end
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Take what the command writes, which otherwise would wait for readers."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._tell(line)
        self._tell(None)

    def _tell(self, line: str | None) -> None:
        with self._more:
            self._lines.append(line)
            self._more.notify_all()

    def await_line(self, text: str) -> None:
        """Wait until the command has written a line with this text."""
        with self._more:
            self._more.wait_for(lambda: None in self._lines or self._wrote(text), LIMIT)
            assert self._wrote(text), f"no line with {text!r}: {self._lines}"

    def _wrote(self, text: str) -> bool:
        return any(text in line for line in self._lines if line)

    def kill(self) -> None:
        """Kill all of it by SIGKILL, and wait until nothing is left."""
        first = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        children = [int(number) for number in watch.content(first).split()]
        self._process.kill()
        watch.await_end(children)
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)


class Network:
    """A network with nodes that share the directory PLACE. They differ in what users have: homes, temporary files."""

    def __init__(self, holder: int) -> None:
        self._holder = holder

    def run(self, user: User, commands: str) -> Finished:
        """Run shell commands on a node to their end."""
        return user.run(*self._inside(), "sh", "-c", commands)

    def must(self, user: User, commands: str) -> str:
        """Run shell commands that have to succeed, and return what they write to stdout."""
        finished = self.run(user, commands)
        assert finished.status == 0, (commands, finished)
        return finished.out

    @contextmanager
    def start(self, user: User, commands: str) -> Iterator[Node]:
        """Start shell commands on a node; in the end they are killed."""
        process = subprocess.Popen(
            [*self._inside(), "sh", "-c", commands],
            env=user.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        node = Node(process)
        try:
            yield node
        finally:
            node.kill()

    def _inside(self) -> list[str]:
        """Return the words before a command of a node, which become its first process, and die with this one."""
        entering = ["nsenter", f"--target={self._holder}", "--net", "--mount", "--wd=/"]
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return ["setpriv", "--pdeathsig", "KILL", *entering, *alone]


@contextmanager
def network(shared: Path, *names: str) -> Iterator[Network]:
    """Yield a network whose nodes have these names, and see the directory `shared` at PLACE."""
    everybody.require_root()
    everybody.require_programs("iproute2", "ip")
    setup = _SETUP.format(place=PLACE, names=" ".join(names))
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-euc", setup, "sh", str(shared)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"ready\n"
            yield Network(holder.pid)
        finally:
            holder.kill()
