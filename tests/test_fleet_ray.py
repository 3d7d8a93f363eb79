"""A Ray cluster of two nodes on loopback, with homes and caches of their own, made as docs/fleet.md says."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support import everybody, network, pages, watch, wheels
from support import user as users
from support.network import TEMPORARY, Network, Node
from support.user import User

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.together]

SAMPLE = pages.ROOT / "samples/fleet/on_ray.py"
STEPS = pages.steps(pages.section("docs/fleet.md", "A Ray cluster"))
LOCK, SYNC, HEAD, SYNC_OTHER, OTHER, PROGRAM, JOB, BUNDLE, BUNDLE_NODE, BUNDLE_PROGRAM = range(10)
"""The commands of the page."""

OLDER = "more-itertools==10.8.0"
"""What another script asks for; the one of the page gets a newer one."""

LONG = """\
import os, shlex, sys, time, more_itertools, ray
from pathlib import Path
marks = Path(sys.argv[1])

@ray.remote(scheduling_strategy="SPREAD", max_retries=10)
def double(number):
    node = ray.util.get_node_ip_address()
    (marks / node).touch()
    while not (marks / "go").exists():
        time.sleep(0.1)
    return 2 * number, node, more_itertools.__version__, os.path.basename(os.path.dirname(sys.prefix))

py = f"scriptrun --script {shlex.quote(__file__)}"
ray.init(runtime_env={"py_executable": py}, log_to_driver=False)
done = ray.get([double.remote(number) for number in range(4)])
here = ("10.8.0", os.path.basename(os.path.dirname(sys.prefix)))
result = f"{[one[0] for one in done]} {({one[1] for one in done})} {[one for one in done if one[2:] != here]}"
(marks / "result").write_text(result)  # standard output is Ray's, too
"""


class Cluster(NamedTuple):
    """A network, a directory that its nodes share, where their homes are, and two nodes."""

    network: Network
    root: Path
    shared: Path
    head: Node
    other: Node


def must(node: Node, number: int) -> str:
    """Run a command of the page, which succeeds and writes what is shown there, and return what it writes."""
    finished = node.run(STEPS[number].command)
    assert finished.status == 0, finished
    assert pages.differing([STEPS[number]], [finished.out]) == []
    return finished.out


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory for all that the cluster writes."""
    with tempfile.TemporaryDirectory(prefix="scriptrun-ray-", dir=everybody.fast()) as directory:
        yield Path(directory)


@pytest.fixture
def cluster(root: Path, command: Path) -> Iterator[Cluster]:
    """The cluster of the page; its other node died while it prepared, and was started again."""
    shared = root / "shared"
    shared.mkdir()
    shutil.copy(SAMPLE, shared)
    with ExitStack() as stack:
        made = stack.enter_context(network.network(shared, "first", "second", "third"))
        head = stack.enter_context(made.idle(user(root / "first", f"{command.parent}:")))
        must(head, LOCK)
        must(head, SYNC)
        must(head, HEAD)
        second = user(root / "second", f"{command.parent}:")
        die_while_preparing(made, second)
        other = stack.enter_context(made.idle(second))
        must(other, SYNC_OTHER)
        assert list(second.cache.glob("v1/envs/*/*")) == second.environments()
        assert list(second.cache.glob("v1/trash/*")) == []
        must(other, OTHER)
        yield Cluster(made, root, shared, head, other)


def user(root: Path, programs: str) -> User:
    """Return the user of a node, who has the Python that this is on PATH, and whose pip asks nobody."""
    made = users.create(root, Path(programs), "")
    (made.home / "tmp").mkdir()
    made.variables.update(
        PATH=f"{programs}{Path(os.path.realpath(sys.executable)).parent}:/usr/bin:/bin",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels.of(SAMPLE, OLDER)),
        TMPDIR=TEMPORARY,
        RAY_TMPDIR=TEMPORARY,
        RAY_USAGE_STATS_ENABLED="0",
    )
    return made


def die_while_preparing(made: Network, second: User) -> None:
    """Kill a node whose environment is being made."""
    with made.start(second, f"cd {network.PLACE}; {STEPS[SYNC_OTHER].command}; echo prepared") as node:
        while not list(second.cache.glob("v1/store/*")):
            assert not node.wrote("prepared")
            time.sleep(0.01)
    assert second.environments() == []


def test_script_is_the_program_of_a_ray_job(cluster: Cluster) -> None:
    """The page can be followed, tasks have the driver's environment on both nodes, and one of these may die.

    In one test, as workers of pytest that share these would each make the cluster.
    """
    homes = [cluster.root / name / "home" for name in ("first", "second")]
    have_the_environment_of_the_driver(must(cluster.head, PROGRAM), *homes)
    have_the_environment_of_the_driver(must(cluster.head, JOB), *homes)
    have_the_environment_of_another_script(cluster)
    outlive_a_node(cluster)
    have_the_environment_of_a_bundle(cluster)


def have_the_environment_of_the_driver(written: str, *homes: Path, other: str = "10.0.0.2") -> None:
    """From inside tasks: both nodes ran some, with the key and versions of the driver, in caches of their own."""
    told = re.findall(r"^(.*): (\d+) tasks, (.*)\n  in (.*)/.cache/scriptrun/v1/envs/(.*)/.*$", written, re.MULTILINE)
    assert [one[0] for one in told] == ["10.0.0.1", other, "this program"]
    assert len({(versions, key) for _, _, versions, _, key in told}) == 1
    assert [one[3] for one in told] == [str(home) for home in (*homes, homes[0])]
    assert sum(int(one[1]) for one in told) == 16


def have_the_environment_of_another_script(cluster: Cluster) -> None:
    """A script that needs other versions than those that Ray was started with, and that no node has prepared."""
    write(cluster, "other.py", SAMPLE.read_text())
    finished = cluster.head.run("RAY_ADDRESS=10.0.0.1:6379 ./other.py")
    assert finished.status == 0, finished
    # The node that has prepared already, the driver's, may do all of it before the other one can
    assert finished.out.count(" tasks, ") == finished.out.count(OLDER.replace("==", " ")) >= 2


def write(cluster: Cluster, name: str, text: str) -> None:
    """Write a script that asks for the older version where the sample asks for a new one, and lock it."""
    script = cluster.shared / name
    script.write_text(re.sub(r'"more-itertools>=.*?"', f'"{OLDER}"', text))
    script.chmod(0o755)
    assert cluster.head.run(f"scriptrun lock {name}").status == 0


def outlive_a_node(cluster: Cluster) -> None:
    """A script that runs on both nodes has the same result where one of them is killed in the middle."""
    marks = cluster.shared / "marks"
    marks.mkdir()
    write(cluster, "long.py", SAMPLE.read_text().partition('"""')[0] + LONG)
    running = cluster.head.start(f"RAY_ADDRESS=10.0.0.1:6379 ./long.py {network.PLACE}/marks")
    while not (marks / "10.0.0.2").exists():
        assert running.poll() is None, watch.end(running)
        time.sleep(0.1)
    cluster.other.kill()
    (marks / "go").touch()
    status, out, err = watch.end(running)
    assert status == 0, (out, err)
    # What the other node had begun was run again here; and nothing ran elsewhere than in the driver's environment
    assert (marks / "result").read_text() == "[0, 2, 4, 6] {'10.0.0.1'} []"
    made = list((cluster.root / "second/home/.cache/scriptrun/v1/envs").glob("*/*/scriptrun.json"))
    assert len(made) == 2  # that of Ray and the sample, and the one that the first task made


def have_the_environment_of_a_bundle(cluster: Cluster) -> None:
    """A node without scriptrun and without anything that pip could find joins by a bundle, and runs tasks by it."""
    must(cluster.head, BUNDLE)
    alone = user(cluster.root / "third", "")
    alone.variables["PIP_FIND_LINKS"] = ""
    with cluster.network.idle(alone) as node:
        assert node.run("command -v scriptrun").out == ""
        must(node, BUNDLE_NODE)
        homes = [cluster.root / name / "home" for name in ("first", "third")]
        have_the_environment_of_the_driver(must(cluster.head, BUNDLE_PROGRAM), *homes, other="10.0.0.3")
