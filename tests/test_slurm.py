"""A real Slurm with two nodes runs arrays of scripts; a user follows docs/fleet.md word for word."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import index as indexes
from support import pages, slurm, watch
from support.index import Index
from support.slurm import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.together]

PAGE = "docs/fleet.md"
PNG = """\
class from_array:
    def __init__(self, rows, mode):
        self.rows = rows
    def save(self, name):
        with open(name, "w") as file:
            file.write(f"{len(self.rows)} rows")
"""
"""What `tile.py` needs of `pypng`."""

WHEEL = "/files/pypng-0.1-py3-none-any.whl"

HEAD = "#!/usr/bin/env scriptrun\n# /// script\n# dependencies = [{}]\n# ///\n"
WAITING = """\
import os, signal, sys, time
def end(number, frame):
    print("got", signal.Signals(number).name)
    sys.exit(5)
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, end)
print("up", os.uname().nodename, flush=True)
while not os.path.exists("go"):
    time.sleep(0.05)
"""
"""Tells where it is up, and which signal ends it, unless there is a file `go`."""

LOCAL = "#!/bin/sh\nexport SCRIPTRUN_CACHE_DIR=/var/tmp/scriptrun-$USER\nexec ./{}\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Index]:
    """An index with what `tile.py` asks for, and a distribution for each test."""
    with indexes.serve() as found:
        found.add(indexes.wheel("pypng", "0.1", files={"png.py": PNG}))
        found.add(indexes.wheel("shared", "1.0"), indexes.wheel("begun", "1.0"))
        yield found


@pytest.fixture(scope="module")
def cluster(programs: Path, served: Index) -> Iterator[Cluster]:
    """A cluster with a user `ada`, who asks the index, and has what docs/fleet.md asks for."""
    with slurm.cluster(programs) as made:
        made.add_user("ada")
        made.write("/etc/pip.conf", f"[global]\nindex-url = {served.url}\n")
        yield made


def script(cluster: Cluster, name: str, body: str, *requirements: str) -> None:
    """Write a script of ada's."""
    listed = ", ".join(f'"{one}"' for one in requirements)
    cluster.write(f"/home/ada/{name}", HEAD.format(listed) + body, user="ada", mode=0o755)


def batch(cluster: Cluster, name: str, command: str) -> None:
    """Write a job of ada's that becomes a script, with a cache on the node's own disk."""
    cluster.write(f"/home/ada/{name}", LOCAL.format(command), user="ada", mode=0o755)


def environments(cache: Path) -> dict[str, str]:
    """Return the keys of the environments in a cache, and the versions that each holds; all have to be complete."""
    found = {}
    for path in cache.glob("v1/envs/*/*"):
        manifest = json.loads((path / "scriptrun.json").read_text())
        assert manifest["key"] not in found
        found[manifest["key"]] = " ".join(f"{one['name']}=={one['version']}" for one in manifest["distributions"])
    return found


def states(tasks: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Return how tasks ended."""
    return [(task["JobState"], task["ExitCode"]) for task in tasks]


def test_page(cluster: Cluster, served: Index) -> None:
    """An array runs from what the login node prepared, then each node prepares once for itself: the key is the same.

    Of tasks that read a shared cache nothing is asked, and nothing installed; what they write is theirs alone.
    """
    section = pages.section(PAGE, "A Slurm array")
    assert pages.blocks(section, "sh") == [(pages.ROOT / "samples/fleet/array.sbatch").read_text()]
    pages.clone(cluster.path("/home/ada/clone"))
    cluster.must("chown -R ada: ~ada/clone")
    follow = functools.partial(cluster.must, user="ada")
    shared, local = section.split("**Prepared by each node**")
    pages.follow(shared, follow, "~")
    home = cluster.path("/home/ada")
    (key,) = environments(home / "environments")
    assert served.requests.count(WHEEL) == 2  # to lock, and to prepare
    assert [path for name in slurm.NODES for path in cluster.disk(name).glob("scriptrun-ada/v1/envs/*")] == []
    pages.follow(local, follow, "~")
    for name in slurm.NODES:
        assert environments(cluster.disk(name) / "scriptrun-ada")[key] == "pypng==0.1"
    assert sorted(path.read_text() for path in home.glob("tile-*.png")) == ["20 rows"] * 8
    assert [(home / f"tile-{number}.log").read_text() for number in range(8)] == [
        f"tile {number} of 8\n" * 2 for number in range(8)
    ]
    assert served.requests.count(WHEEL) == 2 + len(slurm.NODES)


def test_statuses_and_signals(cluster: Cluster) -> None:
    """Slurm sees the script's own status; scancel's SIGTERM, or another signal, is for the script itself.

    All write to their files what the scripts write, and what Slurm does, but nothing of scriptrun's.
    """
    script(cluster, "seven.py", "import sys\nprint('seven')\nsys.exit(7)\n")
    script(cluster, "unpreparable.py", "", "nowhere")
    script(cluster, "waiting.py", WAITING)
    for name in ("seven", "unpreparable", "waiting"):
        batch(cluster, f"{name}.sbatch", f"{name}.py")
    failing = [cluster.submit(f"-o {name}.log {name}.sbatch", "ada") for name in ("seven", "unpreparable")]
    stopped = [cluster.submit(f"-o {name}.log waiting.sbatch", "ada") for name in ("cancelled", "told")]
    for name in ("cancelled", "told"):
        cluster.await_file(f"/home/ada/{name}.log", "up node")
    cluster.must(f"scancel {stopped[0]}; scancel --batch --signal=USR1 {stopped[1]}", user="ada")
    cluster.await_end(*failing, *stopped)
    expected = [("FAILED", "7:0"), ("FAILED", "125:0"), ("CANCELLED", "5:0"), ("FAILED", "5:0")]
    assert [states(cluster.tasks(job))[0] for job in (*failing, *stopped)] == expected
    home = cluster.path("/home/ada")
    assert (home / "seven.log").read_text() == "seven\n"
    assert (home / "unpreparable.log").read_text().startswith("scriptrun: error: ")
    assert (home / "told.log").read_text().splitlines()[1:] == ["got SIGUSR1"]
    lines = (home / "cancelled.log").read_text().splitlines()
    assert [line for line in lines[1:] if "CANCELLED" not in line] == ["got SIGTERM"]


def test_cache_in_the_shared_home(cluster: Cluster, served: Index) -> None:
    """What the login node prepared in the cache of the home serves all tasks, and a node may prune it beside them."""
    script(cluster, "sharing.py", f"import os\nos.chdir('/home/ada/all')\n{WAITING}import shared\n", "shared")
    cluster.must("mkdir all && scriptrun sync sharing.py", user="ada")
    asked = len(served.requests)
    job = cluster.submit("-w node1 --array=0-3 -o sharing-%a.log --wrap 'exec ./sharing.py'", "ada")
    for number in range(slurm.PLACES):
        cluster.await_file(f"/home/ada/sharing-{number}.log", "up node1")
    (step,) = [one for one in pages.steps(pages.section(PAGE, "When a node dies")) if " prune " in one.command]
    pruning = cluster.submit(f"-w node2 -o prune.log --wrap '{step.command}'", "ada")
    cluster.await_end(pruning)
    cluster.must("touch all/go", user="ada")
    cluster.await_end(job)
    assert states(cluster.tasks(pruning) + cluster.tasks(job)) == [("COMPLETED", "0:0")] * (1 + slurm.PLACES)
    assert pages.differing([step], [cluster.path("/home/ada/prune.log").read_text()]) == []
    assert len(served.requests) == asked


def test_node_that_dies(cluster: Cluster, served: Index) -> None:
    """What a node had begun to prepare when it died is never used: tasks that are begun anew complete, on another node.

    So does one that ran on the dead node, which prepares anew once it is back.
    """
    gate = watch.Gate(served)
    script(cluster, "preparing.py", "import begun, sys\nprint(begun.V, sys.prefix)\n", "begun")
    script(cluster, "running.py", WAITING)
    batch(cluster, "preparing.sbatch", "preparing.py")
    batch(cluster, "running.sbatch", "running.py")
    cluster.must("scontrol update nodename=node2 state=drain reason=test")
    running = cluster.submit("--requeue -o running.log running.sbatch", "ada")
    cluster.await_file("/home/ada/running.log", "up node1")
    preparing = cluster.submit("--requeue --array=0-5 -o preparing-%a.log preparing.sbatch", "ada")
    gate.wait()
    cache = cluster.disk("node1") / "scriptrun-ada"
    (begun,) = [path for path in cache.glob("v1/envs/*/*") if not (path / "scriptrun.json").exists()]
    cluster.kill_node("node1")
    assert begun.exists()
    gate.open()
    cluster.must("scontrol update nodename=node2 state=resume")
    cluster.must("touch go", user="ada")
    for job in (running, *(f"{preparing}_{number}" for number in range(slurm.PLACES - 1))):
        cluster.must(f"scontrol update jobid={job} starttime=now", user="ada")
    cluster.await_end(running, preparing)
    ended = cluster.tasks(running) + cluster.tasks(preparing)
    assert states(ended) == [("COMPLETED", "0:0")] * 7
    assert [task["Restarts"] for task in ended] == ["1"] * slurm.PLACES + ["0"] * 3
    cluster.start_node("node1")
    there_again = cluster.submit("--nodelist=node1 -o there-again.log preparing.sbatch", "ada")
    cluster.await_end(there_again)
    assert states(cluster.tasks(there_again)) == [("COMPLETED", "0:0")]
    assert not begun.exists()
    here, there = ({*environments(cluster.disk(name) / "scriptrun-ada").items()} for name in slurm.NODES)
    (both,) = [one for one in here & there if one[1] == "begun==1.0"]
    logs = [cluster.path(f"/home/ada/preparing-{number}.log").read_text() for number in range(6)]
    assert [log for log in logs if not log.startswith(f"1.0 /var/tmp/scriptrun-ada/v1/envs/{both[0]}/")] == []
