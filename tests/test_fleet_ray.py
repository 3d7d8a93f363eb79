"""A Ray cluster of two nodes on loopback, with homes and caches of their own, made as docs/fleet.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support import everybody, pages, watch
from support import index as indexes
from support.nodes import Node
from support.user import User

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.together]

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "samples/fleet/on_ray.py"

LONG = """\
import os, shlex, sys, time, demo, ray
from pathlib import Path
marks = Path(sys.argv[1])

@ray.remote(scheduling_strategy="SPREAD", max_retries=10)
def double(number):
    node = ray.util.get_node_ip_address()
    (marks / node).touch()
    while not (marks / "go").exists():
        time.sleep(0.1)
    return 2 * number, node, demo.V, os.path.basename(os.path.dirname(sys.prefix))

py = f"scriptrun --script {shlex.quote(__file__)}"
ray.init(runtime_env={"py_executable": py}, log_to_driver=False)
done = ray.get([double.remote(number) for number in range(4)])
here = ("1.0", os.path.basename(os.path.dirname(sys.prefix)))
result = f"{[one[0] for one in done]} {({one[1] for one in done})} {[one for one in done if one[2:] != here]}"
(marks / "result").write_text(result)  # standard output is Ray's, too
"""


def wheels() -> Path:
    """Return a directory with the wheels that the sample asks for, which are downloaded once for each Python."""
    (listed,) = re.findall(r"^# dependencies = \[(.*)\]", SAMPLE.read_text(), re.MULTILINE)
    mark = f"{sys.version_info.major}.{sys.version_info.minor}-{zlib.crc32(listed.encode()):08x}"
    kept = ROOT / ".work" / f"wheels-ray-{mark}"
    if not kept.exists():
        part = Path(tempfile.mkdtemp(prefix="wheels-", dir=kept.parent))
        pip = [sys.executable, "-m", "pip", "-q", "download", "--only-binary=:all:", "--dest", str(part)]
        subprocess.run([*pip, *re.findall(r'"(.*?)"', listed)], check=True)
        part.rename(kept)
    return kept


class Cluster(NamedTuple):
    """Two nodes, what the commands of the page wrote that it does not show, and what the last one wrote."""

    head: Node
    other: Node
    root: Path
    differing: list[tuple[pages.Step, str]]
    written: str


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A directory for all that the cluster writes; its name is short, as the sockets are below it."""
    path = Path(tempfile.mkdtemp(prefix="sr-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def cluster(root: Path, command: Path) -> Iterator[Cluster]:
    """The cluster of the page; its other node died while it prepared, and was started again."""
    everybody.require_root()
    everybody.require_programs("util-linux", "nsenter", "unshare")
    everybody.require_programs("iproute2", "ip")
    shared, found = root / "jobs", root / "wheels"
    shutil.copytree(wheels(), found)
    name, content = indexes.wheel("demo", "1.0")
    (found / name).write_bytes(content)
    shared.mkdir()
    (root / "tmp").mkdir()
    shutil.copy(SAMPLE, shared)
    variables = {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": str(root / "tmp"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(found),
        "SCRIPTRUN_SYSTEM_CACHE": "",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(root / "tmp"),
    }
    made = []
    for name in ("a", "b"):
        (root / name).mkdir()
        made.append(User(root / name, shared, {**variables, "HOME": str(root / name)}))
    head = Node(made[0])
    other = Node(made[1], head)
    try:
        steps = pages.steps(pages.section("docs/fleet.md", "A Ray cluster"))
        written = [must(head, step.command) for step in steps[:3]]
        other = die_while_preparing(other, steps[3].command, head)
        written += [must(other, step.command) for step in steps[3:5]]
        written += [must(head, step.command) for step in steps[5:]]
        yield Cluster(head, other, root, pages.differing(steps, written), written[-1])
    finally:
        other.kill()
        head.kill()


def must(node: Node, command: str) -> str:
    """Run a command of the page, which succeeds, and return what it writes to stdout."""
    finished = node.run("sh", "-c", command)
    assert finished.status == 0, finished
    return finished.out


def die_while_preparing(node: Node, command: str, first: Node) -> Node:
    """Kill a node whose environment is being made, and return it as it is started again."""
    running = node.start("sh", "-c", command)
    while not list(node.user.cache.glob("v1/store/*")):
        assert running.poll() is None, watch.end(running)
        time.sleep(0.01)
    node.kill()
    assert watch.end(running)[0] != 0
    assert node.user.environments() == []
    return Node(node.user, first)


def test_script_is_the_program_of_a_ray_job(cluster: Cluster) -> None:
    """The page can be followed, tasks have the driver's environment on both nodes, and one of these may die.

    In one test, as workers of pytest that share these would each make the cluster.
    """
    assert cluster.differing == []
    have_the_environment_of_the_driver(cluster)
    outlive_a_node(cluster)


def have_the_environment_of_the_driver(cluster: Cluster) -> None:
    """From inside tasks: both nodes ran some, with the key and versions of the driver, in caches of their own."""
    told = re.findall(r"^(.*): (\d+) tasks, (.*)\n  in (.*)/v1/envs/(.*)/.*$", cluster.written, re.MULTILINE)
    assert cluster.written.startswith("9592 primes below 100000\n")
    assert [one[0] for one in told] == ["10.0.0.1", "10.0.0.2", "this program"]
    assert len({(versions, key) for _, _, versions, _, key in told}) == 1
    caches = [str(node.user.cache) for node in (cluster.head, cluster.other, cluster.head)]
    assert [one[3] for one in told] == caches
    assert sum(int(one[1]) for one in told) == 16


def outlive_a_node(cluster: Cluster) -> None:
    """A script that no node has prepared runs on both; one that is killed then changes nothing of the result."""
    head, other = cluster.head, cluster.other
    marks = cluster.root / "marks"
    marks.mkdir()
    block = SAMPLE.read_text().partition('"""')[0]
    head.user.write("long.py", block.replace('"ray', '"demo", "ray') + LONG, executable=True)
    assert head.run("scriptrun", "lock", "long.py").status == 0
    running = head.start("env", "RAY_ADDRESS=10.0.0.1:6379", "./long.py", marks)
    while not (marks / "10.0.0.2").exists():
        assert running.poll() is None, watch.end(running)
        time.sleep(0.1)
    other.kill()
    (marks / "go").touch()
    status, out, err = watch.end(running)
    assert status == 0, (out, err)
    # What the other node had begun was run again here; and nothing ran elsewhere than in the driver's environment
    assert (marks / "result").read_text() == "[0, 2, 4, 6] {'10.0.0.1'} []"
    assert len(other.user.environments()) == 2  # that of Ray and the sample, and the one that the first task made
