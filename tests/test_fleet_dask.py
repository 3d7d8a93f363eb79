"""A Dask cluster in which scriptrun starts scheduler, workers and program, as docs/fleet.md says, word for word."""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support import network, pages, private, watch, wheels
from support import user as users
from support.network import PLACE, Network, Node
from support.pages import Step
from support.user import Finished, User

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.together]

SECTION = pages.section("docs/fleet.md", "A Dask cluster")
SCRIPT = pages.ROOT / "samples" / "fleet" / "on_dask.py"
OTHERS = ("more-itertools==10.8.0", "toolz==1.0.0")
"""What the script of somebody else asks for; Dask looks at the second by itself."""

READY = "Registered to:"
"""What a worker writes when it is one."""

LOCK, SCHEDULER, WORKER, PROGRAM, SYSTEM, SYSTEM_WORKER, BUNDLE, BUNDLE_WORKER, VERSIONS = range(9)
"""The blocks of commands on the page."""

SQUARES = """\
import os, signal, sys
from distributed import Client, get_worker

def square(number):
    if get_worker().name == "doomed":
        open("/srv/job/begun", "w").write("x")
        open("/srv/job/never").read()
    if number == 50 and not os.path.exists("/srv/job/died"):
        open("/srv/job/died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number ** 2, get_worker().name == "doomed"

with Client("tcp://node0:8786") as client:
    found = client.gather(client.map(square, range(100)))
    client.wait_for_workers(2, timeout=300)
    prefixes = client.run(lambda: sys.prefix).values()
    print(sum(square for square, _ in found), any(doomed for _, doomed in found), *sorted(prefixes))
"""
"""A task on the worker `doomed` says so, and never ends; another one kills the process in which it runs, once."""


class Told(NamedTuple):
    """What the sample tells of a worker, or of itself: tasks, versions, and the directory of the environment."""

    tasks: int
    versions: str
    environment: str

    @property
    def content(self) -> tuple[str, str]:
        """Key and versions."""
        return Path(self.environment).parent.name, self.versions


class Cluster(NamedTuple):
    """A network whose nodes share a directory, and a function that returns the user of a node, by its name."""

    network: Network
    shared: Path
    user: Callable[[str], User]

    def start(self, name: str, block: int, *, before: str = "", after: str = "") -> AbstractContextManager[Node]:
        """Start on a node what a block of the page says, with more commands before it, and more words after it."""
        commands = [before, *(step.command for step in steps(block))]
        return self.network.start(self.user(name), "\n".join(commands) + after)

    def run(self, block: int) -> Finished:
        """Run the one command of a block of the page, on the node of the scheduler; it writes what the page shows."""
        (step,) = steps(block)
        user = self.user("node0")
        finished = self.network.run(user, step.command)
        homes = rf"{re.escape(str(user.home.parents[1]))}/\w+/home/"
        written = re.sub(homes, "/home/ada/", finished.out or finished.err)
        assert pages.differing([step], [written]) == []
        return finished

    def sample(self) -> dict[str, Told]:
        """Run the sample, and return what it tells by worker; its tasks have the key and the versions of itself."""
        finished = self.run(PROGRAM)
        found = told(finished.out)
        assert (finished.status, finished.err) == (0, "")
        assert {one.content for one in found.values()} == {found.pop("this program").content}
        assert sum(one.tasks for one in found.values()) == 41
        return found


def steps(block: int) -> list[Step]:
    """Return the commands of a block of the page."""
    return pages.steps(pages.commands(SECTION, block))


def told(out: str) -> dict[str, Told]:
    """Return what the sample tells of each worker, and of itself."""
    lines = re.findall(r"^(.+): (\d+) rows, (.+)\n  in (.+)$", out, re.MULTILINE)
    return {name: Told(int(tasks), versions, environment) for name, tasks, versions, environment in lines}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, command: Path) -> Iterator[Cluster]:
    """A cluster with a scheduler and two workers, each on a node with a home of its own, empty before.

    pip finds there what the sample needs, and asks nobody.
    """
    root, found = tmp_path_factory.mktemp("cluster"), wheels.of(SCRIPT, *OTHERS)
    shared = root / "shared"
    shared.mkdir()
    shutil.copy(SCRIPT, shared)

    @functools.cache
    def user(name: str) -> User:
        made = users.create(root / name, command, "")
        made.variables.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(found), TMPDIR=str(made.directory))
        return made

    with ExitStack() as stack:
        inside = stack.enter_context(network.network(shared, "node0"))
        made = Cluster(inside, shared, user)
        pages.follow(pages.commands(SECTION, LOCK), functools.partial(inside.must, user("node0")), "/")
        stack.enter_context(made.start("node0", SCHEDULER))
        for node in [stack.enter_context(made.start(name, WORKER)) for name in ("first", "second")]:
            node.await_line(READY)
        yield made


def test_tasks_run_in_the_scripts_environment(cluster: Cluster) -> None:
    """On each node they have key and versions of the program, from the node's own cache, made there."""
    made = {str(path) for name in ("first", "second") for path in cluster.user(name).environments()}
    assert {one.environment for one in cluster.sample().values()} == made
    assert len(made) == 2


def test_worker_killed_in_the_middle_of_tasks(cluster: Cluster) -> None:
    """What it had to do is done by others, and so is what a process had to do that dies: its nanny starts another."""
    for name in ("begun", "never"):
        os.mkfifo(cluster.shared / name)
    program = shlex.join(["scriptrun", "--script", f"{PLACE}/on_dask.py", "-c", SQUARES])
    with cluster.start("first", WORKER, after=" --name doomed") as doomed, ThreadPoolExecutor() as pool:
        doomed.await_line(READY)
        running = pool.submit(cluster.network.must, cluster.user("node0"), program)
        assert watch.receive(cluster.shared / "begun") == "x"
        doomed.kill()
        out = running.result()
    made = sorted(str(cluster.user(name).environments()[0]) for name in ("first", "second"))
    assert out.split() == [str(sum(number**2 for number in range(100))), "False", *made]
    assert (cluster.shared / "died").exists()


def test_worker_killed_while_it_is_prepared(cluster: Cluster) -> None:
    """Started again, it is ready, in the one environment that is there; what was half made is gone."""
    user = cluster.user("late")
    found = user.variables["PIP_FIND_LINKS"]
    wheel = _fifo(user, cluster.shared)
    with cluster.start("late", WORKER), wheel.open("wb"):  # that is, once pip reads it
        (half,) = user.cache.glob("v1/envs/*/*")
    assert user.environments() == []
    user.variables["PIP_FIND_LINKS"] = found
    with cluster.start("late", WORKER) as again:
        again.await_line(READY)
        (made,) = user.environments()
        assert list(user.cache.glob("v1/envs/*/*")) == [made] != [half]
        assert list(user.cache.glob("v1/trash/*")) == []
        assert str(made) in [one.environment for one in cluster.sample().values()]


def _fifo(user: User, shared: Path) -> Path:
    """Let pip find a FIFO in the place of a wheel that is locked, and return it."""
    directory = user.home.parent / "wheels"
    shutil.copytree(user.variables["PIP_FIND_LINKS"], directory)
    (name,) = set(re.findall(r"more_itertools-[\w.-]+\.whl", (shared / "pylock.on_dask.toml").read_text()))
    wheel = directory / str(name)
    wheel.unlink()
    os.mkfifo(wheel)
    user.variables["PIP_FIND_LINKS"] = str(directory)
    return wheel


def test_worker_of_another_script(cluster: Cluster) -> None:
    """The sample notices by what its tasks tell; Dask warns of what it needs, and of more where it is asked to."""
    (step,) = steps(VERSIONS)
    assert cluster.network.run(cluster.user("node0"), step.command) == (0, "", "")
    other = cluster.shared / "other" / SCRIPT.name
    other.parent.mkdir()
    other.write_text(re.sub(r'"more-itertools>=.*"', ", ".join(f'"{one}"' for one in OTHERS), SCRIPT.read_text()))
    user = cluster.user("other")
    cluster.network.must(user, f"scriptrun lock {PLACE}/other/{SCRIPT.name}")
    with cluster.network.start(user, steps(WORKER)[0].command.replace(PLACE, f"{PLACE}/other")) as node:
        node.await_line(READY)
        finished = cluster.run(PROGRAM)
        cluster.run(VERSIONS)
    found = told(finished.out)
    here = found.pop("this program")
    (differing,) = [one for one in found.values() if one.content != here.content]
    assert (finished.status, differing.environment) == (1, str(user.environments()[0]))
    assert OTHERS[0].replace("==", " ") in differing.versions
    assert "| toolz " in finished.err
    assert "| more_itertools " not in finished.err


def test_workers_of_one_read_only_cache(cluster: Cluster) -> None:
    """What was prepared for all is used at each node, under the same key; they build nothing, and write nothing."""
    assert cluster.run(SYSTEM).status == 0
    (made,) = cluster.shared.glob("cache/v1/envs/*/*")
    before = private.digest(cluster.shared / "cache")
    names = ("third", "fourth")
    for name in names:
        cluster.user(name).variables["PIP_FIND_LINKS"] = ""
    read_only = f"mount -o remount,bind,ro {PLACE}; ! touch {PLACE}/x 2>/dev/null || exit 9"
    with ExitStack() as stack:
        for node in [stack.enter_context(cluster.start(name, SYSTEM_WORKER, before=read_only)) for name in names]:
            node.await_line(READY)
        found = [one.environment for one in cluster.sample().values()]
    assert found.count(f"{PLACE}/{made.relative_to(cluster.shared)}") == len(names)
    assert [cluster.user(name).environments() for name in names] == [[], []]
    assert private.digest(cluster.shared / "cache") == before


def test_workers_from_a_bundle(cluster: Cluster) -> None:
    """Without scriptrun, and with nothing that pip could find, each unpacks its own environment, with the same key."""
    assert cluster.run(BUNDLE).status == 0
    python = Path(os.path.realpath(sys.executable)).parent
    names = ("fifth", "sixth")
    for name in names:
        cluster.user(name).variables.update(PIP_FIND_LINKS="", PATH=f"{python}:/usr/bin:/bin")
    alone = "! command -v scriptrun || exit 9"
    with ExitStack() as stack:
        for node in [stack.enter_context(cluster.start(name, BUNDLE_WORKER, before=alone)) for name in names]:
            node.await_line(READY)
        found = {one.environment for one in cluster.sample().values()}
    made = [str(path) for name in names for path in cluster.user(name).environments()]
    assert len(made) == len(names)
    assert found.issuperset(made)
