"""Pruning by itself: once a day, after a first run has prepared its environment, and in nobody's way."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support import generations, watch
from support.user import User

pytestmark = pytest.mark.slow

DAY = 86400.0


def set_back(user: User, age: float) -> Path:
    """Let the last pruning have been `age` seconds ago; return the mark that says so."""
    mark = user.cache / "v1/pruned"
    os.utime(mark, (time.time() - age,) * 2)
    return mark


def pruners(user: User) -> list[int]:
    """Return the processes of a user's that are left."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.environ().get("HOME") == str(user.home):
                found.append(one.pid)
    return found


def test_first_run_of_the_day_prunes(user: User) -> None:
    """A first run removes what is outside the bounds if that was not done for a day; what was just used stays."""
    user.script("a.py")
    user.script("b.py", head="# requires-python = '>=3.1'\n")
    assert user.run("./a.py").status == 0
    mark = user.cache / "v1/pruned"
    assert mark.stat().st_mode & 0o777 == 0o600
    (used,) = user.environments()
    idle = [generations.make(str(user.cache), generations.key(number), age=91 * DAY) for number in (1, 2)]
    before = set_back(user, 1.5 * DAY).stat().st_mtime
    assert user.run("./b.py", "--with", "x") == (0, "", "")
    assert mark.stat().st_mtime == before, "the environment was ready: nothing was prepared"
    assert user.run("scriptrun", "--refresh", "b.py") == (0, "", "")
    watch.await_end(pruners(user))
    assert [path.exists() for path in idle] == [False, False]
    assert used.exists()
    assert mark.stat().st_mtime > before


def test_script_that_has_gone_may_come_back(user: User) -> None:
    """An environment that was used within a week stays though its script is away; asked for, pruning takes it."""
    user.script("away.py", head="# requires-python = '>=3.1'\n", body="import sys; print(sys.prefix)\n")
    environment = Path(user.run("./away.py").out.strip())
    (user.directory / "away.py").unlink()
    user.script("other.py")
    for days, stays in ((6, True), (8, False)):
        os.utime(environment / ".stamp", (time.time() - days * DAY,) * 2)
        set_back(user, 1.5 * DAY)
        assert user.run("scriptrun", "-w", f"demo<={days}", "-c", "") == (0, "", "")
        watch.await_end(pruners(user))
        assert environment.exists() == stays
    again = user.script("away.py", body="import sys; print(sys.prefix, 1)\n")
    environment = Path(user.run("./away.py").out.split()[0])
    again.unlink()
    assert user.run("scriptrun", "cache", "prune", "--grace", "0").status == 0
    assert not environment.exists()


@pytest.mark.parametrize("age", [0.5 * DAY, 0])
def test_once_a_day(user: User, age: float) -> None:
    """Within a day of the last time nothing is removed, nor is any process started."""
    user.script("a.py")
    assert user.run("./a.py").status == 0
    idle = generations.make(str(user.cache), generations.key(1), age=91 * DAY)
    before = set_back(user, age).stat().st_mtime
    assert user.run("scriptrun", "--refresh", "a.py").status == 0
    assert (pruners(user), idle.exists()) == ([], True)
    assert (user.cache / "v1/pruned").stat().st_mtime == before


def test_mark_from_times_to_come(user: User) -> None:
    """A mark that a wrong clock left does not keep a cache from being pruned."""
    user.script("a.py")
    assert user.run("./a.py").status == 0
    idle = generations.make(str(user.cache), generations.key(1), age=91 * DAY)
    set_back(user, -3650 * DAY)
    assert user.run("scriptrun", "--refresh", "a.py").status == 0
    watch.await_end(pruners(user))
    assert not idle.exists()


def test_configuration_bounds_it(user: User) -> None:
    """`max-idle` and `max-size` of the configuration are what it keeps to."""
    user.script("a.py")
    assert user.run("./a.py").status == 0
    idle = generations.make(str(user.cache), generations.key(1), age=3 * DAY)
    large = generations.make(str(user.cache), generations.key(2), age=DAY, size=3_000_000)
    configuration = user.home / ".config/scriptrun/config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text('[cache]\nmax-idle = "2 days"\nmax-size = "1 MB"\n')
    set_back(user, 2 * DAY)
    assert user.run("scriptrun", "--refresh", "a.py").status == 0
    watch.await_end(pruners(user))
    assert [path.exists() for path in (idle, large)] == [False, False]


STAND_IN = """\
import os, sys
from scriptrun import decide
from scriptrun.upkeep import housekeeping
def wait(*_):
    with open(sys.argv[1], "w") as started:
        started.write("started")
    with open(sys.argv[2]) as over:
        over.read()
housekeeping.prune = wait
sys.exit(decide.main(sys.argv[3:], os.environ))
"""
"""Runs a script, with a pruning that tells a FIFO when it begins and ends when another one says so."""


def test_script_knows_nothing_of_it(user: User) -> None:
    """While the pruning goes on the script has no child and ends, and its output with it; nothing of it is held."""
    body = "import os\ntry:\n    print(os.wait())\nexcept ChildProcessError:\n    print(os.getpid(), os.getsid(0))\n"
    user.script("a.py", body=body)
    assert user.run("./a.py").status == 0
    set_back(user, 2 * DAY)
    started, over = user.directory / "started", user.directory / "over"
    for fifo in (started, over):
        os.mkfifo(fifo)
    running = watch.start(user, sys.executable, "-c", STAND_IN, started, over, "--refresh", "a.py")
    status, out, err = watch.end(running)  # with the end of both its streams
    assert (status, err) == (0, "")
    assert out.split() == [str(running.pid), str(os.getsid(0))]
    assert started.read_text() == "started"
    (pruner,) = pruners(user)
    facts = {name: os.readlink(f"/proc/{pruner}/{name}") for name in ("cwd", "fd/0", "fd/1", "fd/2")}
    assert facts == {"cwd": "/", "fd/0": os.devnull, "fd/1": os.devnull, "fd/2": os.devnull}
    held = {os.readlink(f"/proc/{pruner}/fd/{name}") for name in os.listdir(f"/proc/{pruner}/fd") if int(name) > 2}
    assert held <= {f"{user.cache}/v1/removal", str(started)}
    assert os.getpriority(os.PRIO_PROCESS, pruner) == 19
    assert os.getsid(pruner) not in (os.getsid(0), running.pid)
    over.write_text("over")
    watch.await_end([pruner])


def test_detached_process(tmp_path: Path) -> None:
    """It is no child, has a session of its own, is in `/`, with nothing open but what it keeps, whatever the limit."""
    code = """\
import json, os, resource, sys
from scriptrun import process
kept = os.open(sys.argv[1], os.O_WRONLY)
other = os.open("/", os.O_RDONLY)
os.dup2(other, 200)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
def work():
    found = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
    names = [os.readlink(f"/proc/self/fd/{number}") for number in found]
    os.write(kept, json.dumps((os.getsid(0), os.getcwd(), names)).encode())
process.detach(work, {kept})
try:
    print(os.wait())
except ChildProcessError:
    print(os.getpid())
"""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    words = [sys.executable, "-c", code, str(fifo)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        with open(fifo) as said:
            session, directory, names = json.loads(said.read())
        assert running.communicate()[0] == f"{running.pid}\n"
    assert session not in (os.getsid(0), running.pid)
    assert (directory, names) == ("/", [os.devnull] * 3 + [str(fifo)])


def test_read_only_cache(user: User) -> None:
    """Where the mark cannot be written nothing is done, and nothing is said."""
    user.script("a.py")
    assert user.run("./a.py").status == 0
    mark = set_back(user, 2 * DAY)
    mark.unlink()
    mark.symlink_to("/proc/nothing/here")
    assert user.run("scriptrun", "--refresh", "a.py") == (0, "", "")
    assert pruners(user) == []


def test_another_removal_is_not_waited_for(user: User) -> None:
    """While somebody else removes, the pruning gives up."""
    user.script("a.py")
    assert user.run("./a.py").status == 0
    idle = generations.make(str(user.cache), generations.key(1), age=91 * DAY)
    set_back(user, 2 * DAY)
    with open(user.cache / "v1/removal", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert user.run("scriptrun", "--refresh", "a.py") == (0, "", "")
        watch.await_end(pruners(user))
    assert idle.exists()
