"""Standing still: what counts as progress, how time is counted, and where the limit is read."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import psutil
import pytest
from support.user import User

from scriptrun import patience
from scriptrun.arguments import Options
from scriptrun.patience import Stalled, Watchdog


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What lets time pass for those who watch."""
    now = [1000.0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return pass_by


def stalls(watchdog: Watchdog, sleep: Callable[[float], None], seconds: float, pid: int = 0) -> bool:
    """Tell whether a watchdog, which looks each second, calls it a standstill within so many seconds."""
    try:
        for _ in range(round(seconds)):
            sleep(1)
            watchdog.look(pid)
    except Stalled:
        return True
    return False


def test_nothing_moves(sleep: Callable[[float], None]) -> None:
    """What stands still for as long as is allowed is told so; the start is progress."""
    watchdog = Watchdog(10, lambda: 0)
    assert not stalls(watchdog, sleep, 10)
    sleep(1)
    with pytest.raises(Stalled) as caught:
        watchdog.look(0)
    assert str(caught.value) == "made no progress for 10 seconds"


def test_what_moves_may_go_on(sleep: Callable[[float], None]) -> None:
    """Both a mark and another state are progress, of which others are told; the time begins anew."""
    moved: list[str] = []
    state = [0]
    watchdog = Watchdog(10, lambda: state[0], lambda: moved.append("moved"))
    assert not stalls(watchdog, sleep, 10)
    watchdog.mark()
    assert not stalls(watchdog, sleep, 10)
    state[0] -= 1
    assert not stalls(watchdog, sleep, 10)
    assert moved == ["moved"] * 3
    assert stalls(watchdog, sleep, 1)


BUSY = """\
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.slow
def test_processor_time_is_progress(sleep: Callable[[float], None]) -> None:
    """What a child uses of the processor counts, whatever its session; a process that has gone uses nothing."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        child = int(running.stdout.readline())
        try:
            watchdog, other = Watchdog(10, lambda: 0), Watchdog(10, lambda: 0)
            for _ in range(3):
                enough = patience.work(running.pid).seconds + 0.2
                while patience.work(running.pid).seconds < enough:
                    os.sched_yield()
                assert not stalls(watchdog, sleep, 5, running.pid)
            assert stalls(other, sleep, 15)
        finally:
            os.kill(child, signal.SIGKILL)
    assert patience.work(running.pid) == (0, 0)


WRITING = """\
import subprocess, sys
for line in sys.stdin:
    subprocess.run(["head", "-c", line.strip(), "/dev/zero"], check=True)
    print("written", file=sys.stderr, flush=True)
"""


def test_writing_is_progress(sleep: Callable[[float], None]) -> None:
    """What a child writes counts, wherever to, also if it has ended since; single words do not."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITING],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        watchdog = Watchdog(100, lambda: 0)
        assert not stalls(watchdog, sleep, 60, running.pid)
        for size, expected in ((1000, True), (100_000, False)):
            running.stdin.write(f"{size}\n".encode())
            running.stderr.readline()
            assert stalls(watchdog, sleep, 60, running.pid) == expected
        running.stdin.close()


def test_work_of_who_only_watches_is_no_progress(sleep: Callable[[float], None]) -> None:
    """Who waits for what it started may use the processor to look at it: what counts is what that uses."""
    code = "import subprocess\nsubprocess.Popen(['sleep', '1000'])\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            watchdog = Watchdog(10, lambda: 0)
            begun = psutil.Process(running.pid).cpu_times().user
            assert not stalls(watchdog, sleep, 5, running.pid)
            while psutil.Process(running.pid).cpu_times().user < begun + 0.3:
                os.sched_yield()
            assert stalls(watchdog, sleep, 10, running.pid)
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def test_time_that_nobody_looked_does_not_count(sleep: Callable[[float], None]) -> None:
    """A machine that slept for an hour, or a run that was stopped, has not waited for an hour."""
    watchdog = Watchdog(10, lambda: 0)
    assert not stalls(watchdog, sleep, 5)
    sleep(3600)
    assert not stalls(watchdog, sleep, 2)
    assert stalls(watchdog, sleep, 10)


def test_looks_are_rare(sleep: Callable[[float], None]) -> None:
    """However often a watchdog is called, it looks every two seconds only, or ten times within a shorter limit."""
    looks: list[int] = []
    watchdog = Watchdog(120, lambda: looks.append(0))
    watchdog.mark()
    for _ in range(100):
        sleep(0.1)
        watchdog.look(0)
    assert len(looks) <= 5
    assert (watchdog.tick, Watchdog(1, lambda: 0).tick) == (2.0, 0.1)


def test_limit_of_none_is_for_ever(sleep: Callable[[float], None]) -> None:
    """0 seconds are no limit; two minutes are the one that nobody has to set."""
    assert patience.limit(Options()) == 120
    assert patience.limit(Options({"prepare-timeout": "300"})) == 300
    assert patience.limit(Options({"prepare-timeout": "0"})) == math.inf
    assert not stalls(Watchdog(math.inf, lambda: 0), sleep, 1000)


@pytest.mark.slow
def test_limit_is_read_everywhere(user: User) -> None:
    """The command line counts before the variable, that before the block, where it is a number or a text, and so on."""

    def shown(*words: str, variable: str | None = None) -> tuple[object, str]:
        finished = user.run("scriptrun", "config", "--json", *words, SCRIPTRUN_PREPARE_TIMEOUT=variable)
        assert (finished.status, finished.err) == (0, "")
        one = json.loads(finished.out)["prepare-timeout"]
        return one["value"], one["from"]

    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("prepare-timeout = 5\n")
    user.write("number.py", "# /// script\n# [tool.scriptrun]\n# prepare-timeout = 4\n# ///\n")
    user.write("text.py", '# /// script\n# [tool.scriptrun]\n# prepare-timeout = "3"\n# ///\n')
    found = [
        shown("--prepare-timeout", "1", "text.py", variable="2"),
        shown("text.py", variable="2"),
        shown("text.py"),
        shown("number.py"),
        shown(),
    ]
    assert [str(value) for value, _ in found] == ["1", "2", "3", "4", "5"]
    places = ["--prepare-timeout", "SCRIPTRUN_PREPARE_TIMEOUT", "text.py:3", "number.py:3", f"{path}:1"]
    assert [place for _, place in found] == places


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "", "2 min", "1000000001", "٣"])
def test_limit_that_is_no_number(user: User, value: str) -> None:
    """What is no whole number is refused on the command line, and in the variable unless that is empty."""
    user.write("s.py", "print(1)\n")
    wrong = f"is `{value}`, not a whole number from 0 to 1000000000\n"
    assert user.run("scriptrun", f"--prepare-timeout={value}", "s.py") == (
        2,
        "",
        f"scriptrun: error: `--prepare-timeout` {wrong}",
    )
    if value:
        finished = user.run("scriptrun", "s.py", SCRIPTRUN_PREPARE_TIMEOUT=value)
        assert finished == (2, "", f"scriptrun: error: `SCRIPTRUN_PREPARE_TIMEOUT` {wrong}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "kind"), [("true", "a boolean"), ('"soon"', "a string"), ("-1", "an integer"), ("1.5", "a float")]
)
def test_limit_in_toml_that_is_no_number(user: User, value: str, kind: str) -> None:
    """What is no whole number is refused in a block and in the configuration, with file and line."""
    user.write("s.py", f"# /// script\n# [tool.scriptrun]\n# prepare-timeout = {value}\n# ///\n")
    user.write("plain.py", "print(1)\n")
    wrong = f"is {kind}, not a whole number from 0 to 1000000000\nhint: an example: prepare-timeout = 60\n"
    assert user.run("scriptrun", "s.py") == (
        125,
        "",
        f"scriptrun: error: s.py:3: `tool.scriptrun.prepare-timeout` {wrong}",
    )
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f"prepare-timeout = {value}\n")
    assert user.run("scriptrun", "plain.py") == (125, "", f"scriptrun: error: {path}:1: `prepare-timeout` {wrong}")
