"""A cluster of the test's own that a real Slurm looks after: a login node, and nodes with disks of their own.

The login node is a machine as cron's is; its homes are on all nodes. A node is a host name, its processes, and what is
mounted at `/var/tmp`, which outlives the node. All of it listens on loopback, and ends with the login node.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from support import cron, everybody, namespaces
from support.cron import Machine
from support.user import LIMIT

NODES = ("node1", "node2")
PLACES = 4
"""How many tasks run on a node at once."""

_SETUP = """\
for directory in /var/spool /var/tmp; do mount -t tmpfs -o mode=755 tmpfs "$directory"; done
install -d -m 1777 /var/tmp /run/disks/node1 /run/disks/node2
install -d /var/spool/slurmctld /etc/slurm
echo "127.0.0.1 localhost $(uname -n) node1 node2" >/etc/hosts
install -d -o munge -m 755 /run/munge
install -d -o munge -m 700 /var/lib/munge /var/log/munge /etc/munge
head -c 128 /dev/urandom >/run/key
install -o munge -m 400 /run/key /etc/munge/munge.key
setpriv --reuid=munge --regid=munge --clear-groups munged
cat >/etc/slurm/slurm.conf <<END
ClusterName=test
SlurmctldHost=$(uname -n)(127.0.0.1)
SlurmctldPort=$1
SlurmUser=root
SlurmctldPidFile=/run/slurmctld.pid
SlurmctldLogFile=/var/log/slurmctld.log
StateSaveLocation=/var/spool/slurmctld
SlurmdPidFile=/run/slurmd.%n.pid
SlurmdLogFile=/var/log/slurmd.%n.log
SlurmdSpoolDir=/var/spool/slurmd.%n
SlurmdParameters=config_overrides
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
KillWait=5
ReturnToService=2
NodeName=node1 NodeAddr=127.0.0.1 Port=$2 CPUs=$4
NodeName=node2 NodeAddr=127.0.0.1 Port=$3 CPUs=$4
PartitionName=main Nodes=node1,node2 Default=YES
END
slurmctld
"""
"""Accounts nothing, and confines nobody: that takes a database, and control groups."""

_NODE = """\
hostname {0}
mount --bind /run/disks/{0} /var/tmp
mkdir -p /var/spool/slurmd.{0}
slurmd -D &
wait
"""


class Cluster(Machine):
    """A login node and its nodes."""

    def __init__(self, holder: subprocess.Popen[bytes], programs: Path, stack: ExitStack) -> None:
        super().__init__(holder, programs)
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = stack

    def start_node(self, name: str) -> None:
        """Start a node, and wait until it takes tasks. It dies with the login node."""
        inside = namespaces.inside(self.first.pid, "mount", "pid")
        self._nodes[name] = self._stack.enter_context(
            subprocess.Popen(
                [*inside, *namespaces.ALONE, "--uts", "sh", "-euc", _NODE.format(name)],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        self.wait(f"sinfo -h -N -n {name} -o %t", "idle")

    def kill_node(self, name: str) -> None:
        """Kill all that runs on a node, at once, and let Slurm know, which would notice after its `SlurmdTimeout`."""
        process = self._nodes.pop(name)
        init = psutil.Process(process.pid).children(recursive=True)[1]
        assert init.name() == "sh", init
        init.kill()
        process.wait(LIMIT)
        self.must(f"scontrol update nodename={name} state=down reason=dead")

    def disk(self, name: str) -> Path:
        """Return what a node has at `/var/tmp`."""
        return self.path(f"/run/disks/{name}")

    def wait(self, command: str, expected: str) -> None:
        """Wait until a command writes what is expected."""
        deadline = time.monotonic() + LIMIT
        while (written := self.must(command).strip()) != expected:
            assert time.monotonic() < deadline, (command, written, self.path("/var/log/slurmctld.log").read_text())
            time.sleep(0.1)

    def await_file(self, path: str, text: str) -> None:
        """Wait until a file holds a text."""
        self.wait(f"grep -soF '{text}' {path} | head -n1", text)

    def submit(self, words: str, user: str) -> str:
        """Hand in a job of a user's, from their home, and return its number."""
        return self.must(f"sbatch --parsable {words}", user=user).strip()

    def await_end(self, *jobs: str) -> None:
        """Wait until nothing of these jobs waits or runs any more."""
        self.wait(f"squeue -h -j {','.join(jobs)}", "")

    def tasks(self, job: str) -> list[dict[str, str]]:
        """Return what Slurm knows of each task of a job, in their order."""
        lines = self.must(f"scontrol show job -o {job}").splitlines()
        found = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines]
        return sorted(found, key=lambda one: int(one.get("ArrayTaskId", 0)))


@contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    """Yield a cluster whose nodes are up."""
    everybody.require_root()
    for package, program in (("slurmctld", "slurmctld"), ("slurmd", "slurmd"), ("munge", "munged")):
        everybody.require_programs(package, program)
    everybody.require_programs("slurm-client", "sbatch", "scontrol", "sinfo", "squeue")
    with cron.system(_SETUP, *_free_ports(1 + len(NODES)), str(PLACES)) as holder, ExitStack() as stack:
        made = Cluster(holder, programs, stack)
        try:
            for name in NODES:
                made.start_node(name)
            yield made
        finally:
            holder.kill()  # before the nodes are waited for


def _free_ports(count: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(one.getsockname()[1]) for one in sockets]
