"""A network of a test's own with nothing but loopback, and nodes in it, each of which can be killed at once."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import everybody, namespaces, watch
from support.user import LIMIT, Finished, User

PLACE = "/srv/job"
"""Where nodes see the directory that they share."""

TEMPORARY = "/srv/tmp"
"""Where a node sees the directory `tmp` of its user's home, if there is one; a short path, as sockets need it."""

_SETUP = """\
ip link set lo up
mount -t tmpfs tmpfs /srv
mkdir {place} {temporary}
echo 127.0.0.1 localhost >/srv/hosts
{names}
mount --bind /srv/hosts /etc/hosts
mount --bind "$1" {place}
"""

_NAME = "ip address add {address} dev lo; echo {address} {name} >>/srv/hosts"

_START = f"""\
[ ! -d "$HOME/tmp" ] || mount --bind "$HOME/tmp" {TEMPORARY}
exec sh -c "$1"
"""


class Node:
    """A command that runs on a node, with all that it starts, as processes that see no others."""

    def __init__(self, process: subprocess.Popen[str], user: User) -> None:
        self._process = process
        self._user = user
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
            self._more.wait_for(lambda: None in self._lines or self.wrote(text), LIMIT)
            assert self.wrote(text), f"no line with {text!r}: {self._lines}"

    def wrote(self, text: str) -> bool:
        """Tell whether the command has written a line with this text, so far."""
        return any(text in line for line in self._lines if line)

    def run(self, commands: str) -> Finished:
        """Run more shell commands on the node to their end."""
        return self._user.run(*self._more_words(commands))

    def start(self, commands: str) -> subprocess.Popen[str]:
        """Start more shell commands on the node."""
        return watch.start(self._user, *self._more_words(commands))

    def _more_words(self, commands: str) -> list[str]:
        entering = namespaces.inside(namespaces.first(self._process.pid).pid, "net", "mount", "pid")
        return [*entering, "sh", "-c", f"cd {PLACE} && {commands}"]

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
        return user.run(*self._words(commands))

    def must(self, user: User, commands: str) -> str:
        """Run shell commands that have to succeed, and return what they write to stdout."""
        finished = self.run(user, commands)
        assert finished.status == 0, (commands, finished)
        return finished.out

    @contextmanager
    def start(self, user: User, commands: str) -> Iterator[Node]:
        """Start shell commands on a node; in the end they are killed."""
        process = subprocess.Popen(
            self._words(commands),
            env=user.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        node = Node(process, user)
        try:
            yield node
        finally:
            node.kill()

    @contextmanager
    def idle(self, user: User) -> Iterator[Node]:
        """Yield a node on which nothing runs yet."""
        with self.start(user, "echo up; exec sleep 3600") as node:
            node.await_line("up")
            yield node

    def _words(self, commands: str) -> list[str]:
        """Return the words that run commands on a node, where they become its first process, and die with this one."""
        entering = namespaces.inside(self._holder, "net", "mount")
        return [*namespaces.WITH_PARENT, *entering, *namespaces.ALONE, "sh", "-ec", _START, "sh", commands]


@contextmanager
def network(shared: Path, *names: str) -> Iterator[Network]:
    """Yield a network of nodes with these names, and addresses from 10.0.0.1 on, that see `shared` at PLACE."""
    everybody.require_root()
    everybody.require_programs("iproute2", "ip")
    given = [_NAME.format(address=f"10.0.0.{number}", name=name) for number, name in enumerate(names, 1)]
    setup = _SETUP.format(place=PLACE, temporary=TEMPORARY, names="\n".join(given))
    with namespaces.held(("unshare", "--net", "--mount"), setup, str(shared)) as holder:
        yield Network(holder.pid)
