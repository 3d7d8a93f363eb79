"""Hosts on one machine: processes of their own, one loopback device for all of them, and nothing beyond that."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from support import watch
from support.user import Finished, User

ADDRESSES = ("10.0.0.1", "10.0.0.2")
"""The hosts' addresses, all of them on the loopback device of a network that leads nowhere."""

_UP = "ip link set lo up; " + "".join(f"ip address add {address} dev lo; " for address in ADDRESSES)
_READY = 'mount --bind "$HOME/tmp" "$TMPDIR" && echo ready && exec cat'
_COMMAND = 'cd "$0" && exec "$@"'


class Node:
    """A host: a user's processes, in a namespace that ends with this process, or by `kill`.

    `TMPDIR` is the same path on every node, and another directory. The first node makes the network that the others
    join. It takes root.
    """

    def __init__(self, user: User, first: Node | None = None) -> None:
        self.user = user
        (user.home / "tmp").mkdir(exist_ok=True)
        joining = [] if first is None else ["nsenter", f"--target={first.pid}", "--net"]
        apart = ["unshare", *([] if first else ["--net"]), "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        code = _READY if first else _UP + _READY
        self._outer = subprocess.Popen(
            [*joining, *apart, "sh", "-ec", code],
            env=user.environment({"PATH": f"/usr/sbin:/sbin:{user.variables['PATH']}"}),
            stdin=subprocess.PIPE,  # `cat` ends with it, and with that all of the node
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._outer.stdout is not None
        assert self._outer.stdout.readline() == "ready\n"
        self.pid: int = int(Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text())

    def command(self, *words: str | Path) -> list[str | Path]:
        """Return the words that run a command on this node."""
        entering = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net"]
        return [*entering, "sh", "-c", _COMMAND, self.user.directory, *words]

    def run(self, *words: str | Path) -> Finished:
        """Run a command here to its end."""
        return self.user.run(*self.command(*words))

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a command here."""
        return watch.start(self.user, *self.command(*words))

    def kill(self) -> None:
        """Kill every process of the node at once, as when its power goes."""
        if self._outer.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self._outer.communicate()
