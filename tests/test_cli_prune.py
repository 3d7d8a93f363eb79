"""`scriptrun cache prune` and `scriptrun cache clear`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import generations, shells, watch
from support import index as indexes
from support.index import Index
from support.shells import HIT, MISS, Stage
from support.user import User

pytestmark = pytest.mark.slow

DAY = 86400.0

AWAIT = "print('started', flush=True)\nopen('go on').read()\nimport json\nprint('ended')\n"
"""A script that waits in the middle and imports something afterwards."""

ALL = ("scriptrun", "cache", "prune", "--all", "--grace", "0")

CLEAR = ("scriptrun", "cache", "clear", "--grace", "0")


def start(user: User, *command: str | Path, variables: dict[str, str | None] | None = None) -> subprocess.Popen[str]:
    """Start a script and wait until it says that it has started."""
    (user.directory / "go on").unlink(missing_ok=True)
    os.mkfifo(user.directory / "go on")
    running = watch.start(user, *command, variables=variables)
    assert running.stdout is not None
    assert running.stdout.readline() == "started\n"
    return running


def go_on(user: User, running: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Let a script end and return how it did."""
    (user.directory / "go on").write_text("")
    return watch.end(running)


def set_back(environment: Path) -> None:
    """Let an environment have been used hours ago."""
    os.utime(environment / ".stamp", (time.time() - 7200,) * 2)


def left(user: User) -> list[str]:
    """Return the files in a user's cache, but those that every cache has."""
    own = {"CACHEDIR.TAG", "v1/removal", "v1/pruned", "v1/compiled", "v1/extents/envs", "v1/extents/store"}
    files = [path for path in user.cache.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted({str(path.relative_to(user.cache)) for path in files} - own)


def test_running_script_keeps_its_environment(user: User) -> None:
    """A script that was started through the launcher hours ago goes on, whatever removes; afterwards all goes."""
    user.script("s.py", "demo", body=AWAIT + "import demo\n")
    assert go_on(user, start(user, "./s.py"))[0] == 0
    running = start(user, "./s.py")
    (environment,) = user.environments()
    set_back(environment)
    for command in (ALL, CLEAR, (*ALL[:3], "--older-than", "1h", "--max-size", "0")):
        status, out, err = user.run(*command)
        assert (status, err) == (0, "")
        assert out.startswith("removed 0 environments, ")
        assert "; kept 1: 1 in use\n" in out
    assert f"kept {environment}: in use\n" in user.run(*CLEAR).out
    assert go_on(user, running) == (0, "ended\n", "")
    assert re.fullmatch(r"removed 1 environment, [\d.]+ kB freed\n", user.run(*ALL).out)
    assert left(user) == []
    assert go_on(user, start(user, "./s.py")) == (0, "ended\n", "")


def test_child_that_is_no_python_keeps_the_environment(user: User) -> None:
    """What a script leaves running keeps its environment by the VIRTUAL_ENV that it has inherited."""
    body = "import subprocess\nsubprocess.Popen(['sh', '-c', 'cd /; echo started; read _line < \"$FIFO\"'])\n"
    user.script("s.py", body=body)
    running = start(user, "./s.py", variables={"FIFO": str(user.directory / "go on")})
    assert running.wait() == 0
    (environment,) = user.environments()
    set_back(environment)
    assert "kept 1: 1 in use" in user.run(*ALL).out
    assert environment.exists()
    go_on(user, running)
    assert "removed 1 environment" in user.run(*ALL).out


def test_launcher_in_flight_keeps_the_environment(user: User) -> None:
    """A launcher that stands still has perhaps passed the mark: nothing is removed, and nobody waits for it."""
    user.script("s.py", body="print('ok')\n")
    assert user.run("./s.py") == (0, "ok\n", "")
    (environment,) = user.environments()
    (record,) = user.records()
    text = record.read_text()
    os.mkfifo(user.directory / "stop")
    record.write_text(text + f"read _sr_line <{user.directory}/stop || :\n")  # the launcher sources it
    running = watch.start(user, "./s.py")
    with open(user.directory / "stop", "w") as stop:
        os.kill(running.pid, signal.SIGSTOP)
        stop.write("\n")
    set_back(environment)
    finished = user.run(*ALL)
    assert finished.out.startswith("removed 0 environments, 0 B freed; kept 1: 1 a launch is under way\n")
    assert not (environment / "condemned").exists()
    os.kill(running.pid, signal.SIGCONT)
    assert watch.end(running) == (0, "ok\n", "")


def test_build_in_progress_is_left_alone(user: User, index: Index) -> None:
    """While pip works, nothing of its environment is removed, and the run succeeds."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.script("s.py", "demo", body="import demo\n")
    running = watch.start(user, "./s.py", variables={"PIP_INDEX_URL": index.url})
    gate.wait()
    for command in (ALL, CLEAR):
        assert re.match(r"removed 0 environments, .*; kept 1: 1 (in use|being prepared)\n", user.run(*command).out)
    gate.open()
    assert watch.end(running) == (0, "", "")


def test_isolated_environments_of_living_scripts_stay(user: User) -> None:
    """What lives for one run is its script's; the leavings of a dead one go."""
    user.script("s.py", body=AWAIT)
    running = start(user, "scriptrun", "--isolated", "s.py")
    lost = user.cache / "v1/isolated/0123456789abcdef"
    lost.mkdir()
    assert user.run(*CLEAR).status == 0
    assert not lost.exists()
    assert go_on(user, running) == (0, "ended\n", "")


def test_two_removals_at_once(user: User) -> None:
    """However many remove at once, each environment is removed once, and nobody fails."""
    for number in range(20):
        generations.make(str(user.cache), generations.key(number))
    running = [watch.start(user, *(CLEAR if number % 2 else ALL)) for number in range(4)]
    ended = [watch.end(one) for one in running]
    assert [(status, err) for status, _, err in ended] == [(0, "")] * 4
    assert sum(int(out.split()[1]) for _, out, _ in ended) == 20
    assert left(user) == []


def test_dry_run_removes_nothing(user: User) -> None:
    """What would go is listed with the reason, and everything stays as it is."""
    idle = generations.make(str(user.cache), generations.key(1), age=100 * DAY)
    large = generations.make(str(user.cache), generations.key(2), age=DAY, size=2_000_000)
    generations.make(str(user.cache), generations.key(3), age=1)
    before = left(user)
    status, out, err = user.run("scriptrun", "cache", "prune", "--dry-run", "--max-size=1M")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert re.fullmatch(rf"would remove {idle} \([\d.]+ kB\): not used for 100 days", lines[0])
    assert lines[1].startswith(f"would remove {large} (2.0 MB): used less recently than others")
    assert lines[2:] == ["would remove 2 environments, 2.0 MB"]
    everything = user.run("scriptrun", "cache", "prune", "--dry-run", "--all").out
    assert everything.splitlines()[-1] == "would remove 2 environments, 2.0 MB; kept 1: 1 just used"
    assert left(user) == before


def test_bounds_of_configuration_and_command_line(user: User) -> None:
    """The configuration's bounds hold, 90 days without one; the command line's count first."""
    first, second = (generations.make(str(user.cache), generations.key(one), age=one * DAY) for one in (40, 20))
    prune = ("scriptrun", "cache", "prune")
    assert user.run(*prune).out == "removed 0 environments, 0 B freed\n"
    configuration = user.home / ".config/scriptrun/config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text('[cache]\nmax-idle = "30 days"\n')
    assert user.run(*prune, "--older-than", "50d").out.startswith("removed 0 ")
    assert user.run(*prune).out.startswith("removed 1 environment, ")
    assert (first.exists(), second.exists()) == (False, True)
    configuration.write_text('[cache]\nmax-size = "1 kB"\n')
    assert user.run(*prune).out.startswith("removed 1 environment, ")
    configuration.write_text("[cache\n")
    finished = user.run(*prune)
    assert (finished.status, finished.out) == (125, "")
    assert f"{configuration}:1" in finished.err


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("prune --older-than soon", "`--older-than soon` is no span of time", "--older-than 30d"),
        ("prune --older-than=", "`--older-than ` is no span of time", "--older-than 30d"),
        ("prune --max-size much", "`--max-size much` is no amount of bytes", "--max-size 2G"),
        ("prune --grace -1", "`--grace -1` is no time", "--grace 60: in seconds"),
        ("clear --grace=", "`--grace ` is no time", "--grace 60: in seconds"),
        ("prune --all --max-size 1G", "`--all` removes whatever the age and size", "leave out the one or the other"),
        ("clear --all", "`scriptrun cache clear` has no option `--all`", "`scriptrun --help` shows them"),
    ],
)
def test_wrong_use(user: User, words: str, message: str, hint: str) -> None:
    """A value that means nothing is status 2, with an example, and nothing is removed."""
    environment = generations.make(str(user.cache), generations.key(1), age=1000 * DAY)
    expected = (2, "", f"scriptrun: error: {message}\nhint: {hint}\n")
    assert user.run("scriptrun", "cache", *words.split()) == expected
    assert environment.exists()


def test_grace_of_the_command_line(user: User) -> None:
    """`--grace` is in seconds, or a span of time; by default it is a minute."""
    for number, age in enumerate((30, 90, 4000)):
        generations.make(str(user.cache), generations.key(number), age=age)
    prune = ("scriptrun", "cache", "prune", "--all")
    for words, removed in ((("--grace", "2h"), 0), (("--grace", "3600"), 1), ((), 1), (("--grace=0",), 1)):
        assert user.run(*prune, *words).out.startswith(f"removed {removed} environment")


@pytest.mark.parametrize("words", [ALL, CLEAR], ids=["prune", "clear"])
def test_what_is_not_ours_stays(user: User, words: tuple[str, ...]) -> None:
    """Another version's layout, files that nobody knows, what links lead to, and the tag are left alone."""
    environment = generations.make(str(user.cache), generations.key(1))
    outside = user.directory / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (environment / "link").symlink_to(outside)
    (user.cache / "v1/envs/linked").symlink_to(outside)
    strange = ["mine", "v1/envs/mine", "v1/mine", "v2/envs/1/2/scriptrun.json", "v2/trash/1/file"]
    for name in (*strange, "CACHEDIR.TAG"):
        path = user.cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    os.chmod(environment / "bin", 0o555)
    assert user.run(*words).out.startswith("removed 1 environment, ")
    assert left(user) == sorted([*strange, "v1/envs/linked"])
    assert (user.cache / "CACHEDIR.TAG").read_text() == "kept"
    assert (outside / "file").exists()


def test_clear_takes_everything(user: User) -> None:
    """Records, answers, what is known of interpreters, locks: nothing is left, and the next run starts anew."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py").status == user.run("scriptrun", "--with", "other", "s.py").status == 0
    assert len(left(user)) > 10
    assert user.run(*CLEAR).out.startswith("removed 2 environments, ")
    assert left(user) == []
    assert user.run("./s.py") == (0, "2.0\n", "")


DYING = """\
import importlib, os, signal, sys
from scriptrun import decide
module, name = sys.argv[1].rsplit(".", 1)
module, when, left = importlib.import_module(module), sys.argv[2], int(sys.argv[3])
function = getattr(module, name)
def dying(*arguments, **options):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = function(*arguments, **options)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(module, name, dying)
decide.main(sys.argv[4:], os.environ)
"""
"""Does what scriptrun does, and is killed before or after a certain call of a certain function."""


@pytest.mark.parametrize(
    ("function", "when", "call"),
    [
        ("scriptrun.upkeep.removal._condemn", "after", 1),
        ("scriptrun.upkeep.usage.look", "after", 2),
        ("scriptrun.upkeep.trash.put", "before", 1),
        ("os.rename", "before", 1),
        ("os.rename", "after", 1),
        ("scriptrun.upkeep.trash.empty", "before", 2),
        ("os.rmdir", "before", 3),
        ("scriptrun.upkeep.tidying.tidy", "before", 1),
    ],
)
def test_removal_that_is_killed(user: User, function: str, when: str, call: int) -> None:
    """Wherever a removal is killed, the script runs, and the next removal leaves nothing."""
    user.script("s.py", body="print('ok')\n")
    assert user.run("./s.py") == (0, "ok\n", "")
    killed = user.run(sys.executable, "-c", DYING, function, when, str(call), *ALL[1:])
    assert killed.status == -signal.SIGKILL
    assert user.run("./s.py") == (0, "ok\n", "")
    assert user.run(*CLEAR).status == 0
    assert left(user) == []


def test_removal_that_is_killed_hurts_no_running_script(user: User) -> None:
    """After a removal that was killed with its marks set, who runs goes on, and what is in use is unmarked."""
    user.script("s.py", body=AWAIT)
    running = start(user, "./s.py")
    user.script("other.py", body="print('ok')\n", head="# requires-python = '>=3.1'\n")
    (environment,) = user.environments()
    set_back(environment)
    (environment / "condemned").touch()
    assert "kept 1: 1 in use" in user.run(*ALL).out
    assert not (environment / "condemned").exists()
    assert user.run("./other.py") == (0, "ok\n", "")
    assert user.environments() == [environment]
    assert go_on(user, running) == (0, "ended\n", "")


def test_environment_that_vanishes_under_the_launcher(tmp_path: Path) -> None:
    """A launcher that looks for the mark when the environment has just been moved away leaves it to Python."""
    stage = Stage(tmp_path)
    assert stage.prove(b"# /// script\n# ///\nprint()\n")
    assert stage.run(*shells.command("bash")) == (0, HIT, "")
    move = 'case $BASH_COMMAND in *condemned*) mv "$_sr_env" "$_sr_env.gone" ;; esac'
    stage.record.write_text(f"{stage.record.read_text()}trap '{move}' DEBUG\n")  # the launcher sources it
    assert stage.run(*shells.command("bash")) == (0, MISS, "")
    assert not stage.environment.exists()
