"""A machine that boots a real systemd: this one's files under an overlay, in namespaces, thrown away afterwards."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from support import everybody
from support.user import LIMIT, Finished

_MOUNTS = """
mount -t tmpfs none {0}
mkdir -p {0}/upper/etc {0}/work {0}/root
echo {1} >{0}/upper/etc/machine-id
mount -t overlay -o lowerdir=/,upperdir={0}/upper,workdir={0}/work none {0}/root
for directory in {2}; do echo $$ >$directory/cgroup.procs; done
exec systemd-nspawn --quiet --directory={0}/root --register=no --keep-unit --notify-ready=yes --console=pipe \
    --kill-signal=SIGKILL --tmpfs=/etc/systemd/system --boot systemd.unit=basic.target
"""
"""What is enabled here is not there, where `/etc/systemd/system` is empty. SIGTERM ends all of it at once."""


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME = "/srv/administrator"
PATIENCE = 10
"""How many seconds a machine has to end by itself; it is thrown away in any case."""


class Machine:
    """A booted machine; `leader` is its first process as this machine numbers it."""

    def __init__(self, leader: int) -> None:
        self.leader = leader

    def path(self, path: str) -> Path:
        """Return what is at `path` in the machine, as a path of this one."""
        return Path(f"/proc/{self.leader}/root{path}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in the machine."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def run(self, *command: str, **variables: str) -> Finished:
        """Run a command as root of the machine, in a home that is empty at first, to its end."""
        entering = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p", "-C", "-r", "--"]
        finished = subprocess.run(
            [*entering, "sh", "-c", 'mkdir -p "$HOME" && cd && exec "$@"', "sh", *command],
            env={"PATH": PATH, "HOME": HOME, "LANG": "C.UTF-8", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LIMIT,
            text=True,
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr)

    def must(self, *command: str) -> str:
        """Run a command, which must succeed; return what it wrote to stdout."""
        finished = self.run(*command)
        assert finished.status == 0, (command, finished)
        return finished.out


@contextmanager
def booted() -> Iterator[Machine]:
    """Boot a machine, and end it afterwards. It shares the network with this one."""
    everybody.require_root()
    everybody.require_programs("systemd-container", "systemd-nspawn")
    with (
        tempfile.TemporaryDirectory(prefix="scriptrun-booted-") as directory,
        _cgroups(Path(directory).name) as cgroups,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
        open(f"{directory}/console", "wb") as console,
    ):
        told.bind(f"{directory}/notify")
        os.mkdir(f"{directory}/mounts")
        process = _start(directory, cgroups, console)
        try:
            yield Machine(_leader(told, process, Path(directory, "console")))
        finally:
            _end(process, cgroups)


def _start(directory: str, cgroups: list[Path], console: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a machine in a mount namespace of its own. It dies with this process."""
    identity = os.urandom(16).hex()
    commands = _MOUNTS.format(f"{directory}/mounts", identity, " ".join(str(path) for path in cgroups))
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "unshare", "-m", "--propagation", "private", "sh", "-ec", commands],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": f"{directory}/notify"},
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=console,
    )


def _leader(told: socket.socket, process: subprocess.Popen[bytes], console: Path) -> int:
    """Wait until a machine is up, and return its first process. Fails with its console where it ends, or never is."""
    leader = 0
    deadline = time.monotonic() + LIMIT
    with open(os.pidfd_open(process.pid)) as ended:
        while True:
            ready, _, _ = select.select([told.fileno(), ended.fileno()], [], [], max(0, deadline - time.monotonic()))
            assert told.fileno() in ready, f"the machine does not boot:\n{console.read_text('utf-8', 'replace')}"
            lines = told.recv(10_000).decode().split("\n")
            said = dict(line.split("=", 1) for line in lines if "=" in line)
            leader = int(said.get("X_NSPAWN_LEADER_PID", leader))
            if "READY=1" in lines:
                return leader


def _end(process: subprocess.Popen[bytes], cgroups: list[Path]) -> None:
    """End a machine: it is asked to, and what is left soon after is killed, with all that it forks meanwhile."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    deadline = time.monotonic() + LIMIT
    while left := _members(cgroups):
        assert time.monotonic() < deadline, f"these do not die: {left}"
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.05)
    process.kill()  # where it had not come into its groups yet
    process.wait(LIMIT)


def _members(cgroups: list[Path]) -> set[int]:
    """Return the processes that are in control groups, or below."""
    found: set[int] = set()
    for directory in [directory for cgroup in cgroups for directory, _, _ in os.walk(cgroup)]:
        with suppress(OSError):  # removed meanwhile
            found.update(map(int, Path(directory, "cgroup.procs").read_text().split()))
    return found - {0}  # 0: one that this namespace does not know


@contextmanager
def _cgroups(name: str) -> Iterator[list[Path]]:
    """Make a control group in each hierarchy that systemd uses: two machines must not share one."""
    roots = [Path("/sys/fs/cgroup", below) for below in ("", "systemd", "unified")]
    made = [root / name for root in roots if (root / "cgroup.procs").exists()]
    for path in made:
        path.mkdir()
    try:
        yield made
    finally:
        for path in made:
            _remove(path)


def _remove(cgroup: Path) -> None:
    """Remove a control group. It is busy for a moment after its last process has died."""
    deadline = time.monotonic() + LIMIT
    while cgroup.exists():
        for directory, _, _ in os.walk(cgroup, topdown=False):
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                pass
            except OSError:
                assert time.monotonic() < deadline, f"{directory} cannot be removed"
                time.sleep(0.05)
