"""Namespaces that tests put machines, networks and nodes into; all that is in them ends with the process that holds it.

It takes root, and programs of util-linux, which every Debian has.
"""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from support.user import LIMIT

ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""What starts a command that sees no other processes than its own, and whose mounts nobody else sees."""

WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
"""What starts a command that dies with who has started it."""


def inside(pid: int, *kinds: str) -> list[str]:
    """Return what starts a command in these namespaces of a process."""
    return ["nsenter", f"--target={pid}", *(f"--{kind}" for kind in kinds), "--wd=/"]


def first(holder: int) -> psutil.Process:
    """Return the first process of what ALONE has started, given that of `unshare`."""
    (found,) = psutil.Process(holder).children()
    return found


@contextmanager
def held(apart: Sequence[str], setup: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield what holds the namespaces that `apart` makes, after these shell commands, with `words` as theirs."""
    commands = f"{setup}echo ready\nexec sleep 3600\n"
    command = [*WITH_PARENT, *apart, "sh", "-euc", commands, "sh", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            ready, _, _ = select.select([holder.stdout], [], [], LIMIT)
            answer = holder.stdout.readline() if ready else b"nothing"
            assert answer == b"ready\n", "the test needs a kernel that allows namespaces and overlays"
            yield holder
        finally:
            holder.kill()
