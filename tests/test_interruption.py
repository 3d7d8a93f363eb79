"""Builders that die or are told to end: nothing half-built is used, nothing goes on, nothing stays."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest
from faults import kills
from support import index as indexes
from support import watch
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow

BACKEND = """\
import os, subprocess
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    compiler = ["sleep", "100000"]
    child = subprocess.Popen(compiler)
    group = subprocess.Popen(compiler, preexec_fn=os.setpgrp)
    session = subprocess.Popen(compiler, start_new_session=True)
    daemon = subprocess.check_output("setsid sleep 100000 <&- >&- 2>&- & echo $!", shell=True, text=True)
    with open(os.path.join({directory!r}, "building"), "w") as fifo:
        fifo.write(f"{{os.getpid()}} {{child.pid}} {{group.pid}} {{session.pid}} {{daemon}}")
    child.wait()
"""
"""Builds with compilers in pip's process group, in one of their own, in a session, and with one whose parent ended."""


CALLS = "trace=mkdir,rename,symlink,unlink,rmdir,write,vfork,flock,fsync,syncfs,chmod"
"""What changes the cache, and what goes on between; the interpreter's own calls at its start are not among them."""


def files(user: User) -> list[str]:
    """Return the files and directories in the cache, but locks and what is known of interpreters."""
    found = [path.relative_to(user.cache / "v1") for path in user.cache.glob("v1/**/*")]
    return [str(path) for path in found if path.parts[0] not in ("locks", "interpreters")]


def offer(user: User, index: Index, backend: str) -> None:
    """Offer a user `demo` in a form that has to be built."""
    index.add(
        indexes.sdist(
            "demo",
            "1.0",
            {
                "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
                "backend.py": backend.format(directory=str(user.directory)),
            },
        )
    )
    user.variables["PIP_INDEX_URL"] = index.url


def start_building(user: User, index: Index) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a run whose pip builds for ever; return it with all processes that it has started."""
    offer(user, index, BACKEND)
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    os.mkfifo(user.directory / "building")
    running = watch.start(user, "./s.py")
    started = [int(pid) for pid in watch.receive(user.directory / "building").split()]
    started += watch.processes(user.cache, but=running.pid)
    return running, started


def pips(started: list[int]) -> list[int]:
    """Return those of the processes that are pip, and the one that watches over it, which was there before."""
    return [pid for pid in started if Path(f"/proc/{pid}/cmdline").read_bytes().count(b"pip_child.py")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signal_while_pip_works(user: User, index: Index, number: signal.Signals) -> None:
    """A signal ends scriptrun with 128+n, pip and all that pip has started, and leaves nothing behind."""
    running, started = start_building(user, index)
    running.send_signal(number)
    status, out, err = watch.end(running)
    assert (status, out) == (128 + number, "")
    assert err == f"scriptrun: error: interrupted by signal {int(number)} while preparing the environment\n"
    watch.await_end(started)
    assert watch.processes(user.cache) == []
    assert files(user) == ["envs"]


def test_signal_while_waiting_for_another_run(user: User, index: Index) -> None:
    """A run that waits for another one can be ended too; the other one goes on."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    first = watch.start(user, "./s.py")
    gate.wait()
    second = watch.start(user, "scriptrun", "-v", "s.py")
    assert second.stderr is not None
    assert second.stderr.readline() == "scriptrun: waiting for another run to prepare it\n"
    second.terminate()
    assert watch.end(second)[:2] == (128 + signal.SIGTERM, "")
    gate.open()
    assert watch.end(first) == (0, "1.0\n", "")


def test_death_of_the_builder_ends_pip(user: User, index: Index) -> None:
    """When scriptrun is killed, pip and its children end; the next run removes what they left, and succeeds."""
    running, started = start_building(user, index)
    running.kill()
    assert watch.end(running)[0] == -signal.SIGKILL
    watch.await_end(started)
    index.add(indexes.wheel("demo", "2.0"))
    assert user.run("./s.py") == (0, "2.0\n", "")
    assert len(list(user.cache.glob("v1/envs/*/*"))) == 1


def test_stopped_pip_can_be_ended(user: User, index: Index) -> None:
    """A signal ends what is stopped as well, pip and who watches over it."""
    running, started = start_building(user, index)
    for pid in started:
        os.kill(pid, signal.SIGSTOP)
    running.terminate()
    assert watch.end(running)[0] == 128 + signal.SIGTERM
    watch.await_end(started)
    assert files(user) == ["envs"]


def test_death_of_pip_is_a_failure(user: User, index: Index) -> None:
    """When pip is killed all its children end, the run fails, and the next one succeeds."""
    running, started = start_building(user, index)
    os.kill(max(pips(started)), signal.SIGKILL)
    status, out, _ = watch.end(running)
    assert (status, out) == (125, "")
    watch.await_end(started)
    assert files(user) == ["envs"]
    index.add(indexes.wheel("demo", "2.0"))
    assert user.run("./s.py") == (0, "2.0\n", "")


def test_death_of_who_watches_over_pip_is_a_failure(user: User, index: Index) -> None:
    """When it is killed, pip and its process group end, and the run fails; but not what is in other groups."""
    running, started = start_building(user, index)
    watcher = min(pips(started))
    group = [pid for pid in started if os.getpgid(pid) == watcher]
    os.kill(watcher, signal.SIGKILL)
    assert watch.end(running)[0] == 125
    watch.await_end(group)
    assert files(user) == ["envs"]
    for pid in set(started) - set(group):
        os.kill(pid, signal.SIGKILL)


def test_what_pip_leaves_running_is_ended(user: User, index: Index) -> None:
    """A daemon that a build leaves behind, in a session of its own, ends with pip."""
    backend = BACKEND.partition("    compiler")[0] + (
        '    command = "setsid sleep 100000 >&- 2>&- & echo $! >> pids"\n'
        "    subprocess.run(command, shell=True, cwd={directory!r}, check=True)\n"
        "    raise SystemExit(1)\n"
    )
    offer(user, index, backend)
    user.script("s.py", "demo")
    assert user.run("./s.py").status == 125
    watch.await_end([int(pid) for pid in (user.directory / "pids").read_text().split()])


def test_builder_killed_at_any_moment(user: User, index: Index, tmp_path: Path) -> None:
    """Killed before any of its system calls that change the cache, a builder leaves nothing that is used, or that stays
    when things are removed. What pip found of projects may be lost, and the recipe: only time is.

    strace kills it at 10 of these calls, which it counts by their names.
    """
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")

    def traced(calls: str, *options: str) -> subprocess.Popen[str]:
        return watch.start(user, "strace", "-o", str(tmp_path / "trace"), "-e", calls, *options, "scriptrun", "s.py")

    def remains() -> set[str]:
        for path in user.cache.rglob("*.*.????????"):  # what is unfinished goes when it is old
            os.utime(path, (1e9, 1e9), follow_symlinks=False)
        assert user.run("scriptrun", "cache", "prune", "--grace", "0").status == 0
        return {path for path in kills.contents(user) if not re.fullmatch(r"v1/(pip/projects.*|recipes(/\w+)?)", path)}

    assert watch.end(traced(CALLS)) == (0, "1.0\n", "")
    usual = remains()
    made = re.findall(r"^(\w+)\(", (tmp_path / "trace").read_text(), re.MULTILINE)
    made = made[: -made[::-1].index("rename")]  # what comes then is the script's
    for moment in sorted(random.Random(7).sample(range(len(made)), 10)):
        subprocess.run(["rm", "-rf", user.cache], check=True)
        number = made[: moment + 1].count(made[moment])
        running = traced(CALLS, "-e", f"inject={made[moment]}:signal=SIGKILL:when={number}")
        assert watch.end(running)[0] == -signal.SIGKILL, (moment, made[moment])
        assert user.run("./s.py") == (0, "1.0\n", ""), (moment, made[moment])
        assert remains() == usual, (moment, made[moment])
