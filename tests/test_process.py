"""Programs that scriptrun starts end with it, whatever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import watch
from support.user import LIMIT

from scriptrun import process
from scriptrun.errors import Interrupted
from scriptrun.patience import Stalled, Watch

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def test_output_and_status(tmp_path: Path) -> None:
    """All output is returned in its order and shown line by line; stdin is empty, files are private."""
    shown: list[str] = []
    code = (
        "import os, sys; print(sys.stdin.read(), oct(os.umask(0)), flush=True); os.write(2, b'\\xff\\n'); sys.exit(3)"
    )
    finished = process.run(
        [sys.executable, "-c", code], environment=ENVIRONMENT, directory=str(tmp_path), show=shown.append
    )
    assert finished == process.Finished(3, " 0o77\n\\xff\n")
    assert shown == [" 0o77", "\\xff"]


def test_status_where_the_ends_of_children_are_ignored(tmp_path: Path) -> None:
    """A program's status is known under a starter that ignores SIGCHLD, which stays ignored."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        finished = process.run(["sh", "-c", "exit 3"], environment=ENVIRONMENT, directory=str(tmp_path))
        exchanged = process.exchange(["sh", "-c", "cat; echo no >&2; exit 3"], ENVIRONMENT, b"given")
        after = signal.getsignal(signal.SIGCHLD)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert finished == process.Finished(3, "")
    assert exchanged == process.Exchanged(3, b"given", "no\n")
    assert after == signal.SIG_IGN


def test_program_that_does_not_exist(tmp_path: Path) -> None:
    """What cannot be started raises, and leaves no descriptor behind."""
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent"], environment=ENVIRONMENT, directory=str(tmp_path))
    assert os.listdir("/proc/self/fd") == before


def test_what_a_program_leaves_running_is_ended(tmp_path: Path) -> None:
    """A child that outlives the program is ended with it, though it has closed its output."""
    code = "sleep 1000 <&- >&- 2>&- & echo $!"
    finished = process.run(["sh", "-c", code], environment=ENVIRONMENT, directory=str(tmp_path))
    assert finished.status == 0
    watch.await_end([int(finished.output)])


BUILDER = """\
import sys
from scriptrun import process
process.run([sys.executable, "-c", sys.argv[1]], environment={}, directory=sys.argv[2])
"""

HEIR = """\
import os, select
lifeline = int(os.environ["SCRIPTRUN_LIFELINE"])
early = select.select([lifeline], [], [], 0)[0]
open("ready", "w").close()
try:
    word = f"{early} {os.read(lifeline, 1)}"
except OSError as error:
    word = str(error)
with open("word", "w") as fifo:
    fifo.write(word)
"""


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (0, 1, 2)])
def test_program_learns_of_the_death_of_its_starter(tmp_path: Path, closed: Sequence[int]) -> None:
    """The lifeline breaks when scriptrun is killed, and not before, whichever standard descriptors it has."""
    for name in ("ready", "word"):
        os.mkfifo(tmp_path / name)

    def arrange() -> None:
        for number in closed:
            os.close(number)

    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, HEIR, tmp_path],
        preexec_fn=arrange,  # noqa: PLW1509 - this process has no thread
    )
    try:
        with (tmp_path / "ready").open() as fifo:
            fifo.read()
    finally:
        builder.kill()
        builder.wait()
    assert watch.receive(tmp_path / "word") == "[] b''"


@pytest.mark.slow
def test_timeout_ends_the_group(tmp_path: Path) -> None:
    """When the time is up, the program and its children are ended."""
    with pytest.raises(process.TimeoutExpired):
        process.run(
            ["sh", "-c", "sleep 1000 & echo $$ $! > pids; wait"],
            environment=ENVIRONMENT,
            directory=str(tmp_path),
            timeout=1,
        )
    watch.await_end([int(pid) for pid in (tmp_path / "pids").read_text().split()])


def test_watched_output_is_the_same(tmp_path: Path) -> None:
    """Who is watched is read as others are: split and broken characters, ends of lines, a last line without one."""
    code = (
        "import os, time\n"
        "for part in (b'\\xc3', b'\\xbc\\r', b'\\n\\xff\\n\\n', b'end \\xe2\\x82'):\n"
        "    os.write(1, part); time.sleep(0.05)\n"
    )
    outputs = []
    for observer in (None, Watch(1000, lambda: 0)):
        shown: list[str] = []
        command = [sys.executable, "-c", code]
        finished = process.run(
            command, environment=ENVIRONMENT, directory=str(tmp_path), show=shown.append, watch=observer
        )
        outputs.append((finished, shown))
    assert outputs[0] == (process.Finished(0, "ü\n\\xff\n\nend \\xe2\\x82"), ["ü", "\\xff", "", "end \\xe2\\x82"])
    assert outputs[1] == outputs[0]


@pytest.mark.parametrize("closing", ["", ">&- 2>&-"])
def test_standstill_ends_the_group(tmp_path: Path, closing: str) -> None:
    """A program that stands still is ended with its children, also when it has closed its output."""
    with pytest.raises(Stalled):
        process.run(
            ["sh", "-c", f"echo $$ > pids; exec sleep 1000 {closing}"],
            environment=ENVIRONMENT,
            directory=str(tmp_path),
            watch=Watch(0.3, lambda: 0),
        )
    watch.await_end([int(pid) for pid in (tmp_path / "pids").read_text().split()])


def test_look_ends_a_wait() -> None:
    """What a look raises ends a wait that has no end; handler and timer are as they were before."""
    looks: list[int] = []

    def look() -> None:
        looks.append(0)
        if len(looks) == 3:
            raise Stalled

    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with pytest.raises(Stalled), process.every(0.01, look):
            threading.Event().wait(LIMIT)
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGALRM, before)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_alarm_that_was_set_before_goes_off() -> None:
    """An alarm that scriptrun was started with ends the wait when it is due; a later one is set as before."""
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000, 500)
        with process.every(0.01, lambda: None):
            pass
        delay, interval = signal.getitimer(signal.ITIMER_REAL)
        assert (900 < delay <= 1000, interval, rung) == (True, 500, [])
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted), process.every(0.01, lambda: None):
            threading.Event().wait(LIMIT)
        while not rung:
            signal.sigtimedwait([], 0.01)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signal_ends_a_wait(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends the wait for a program, and the program; its former effect is back after that."""
    before = signal.getsignal(number)
    pids: list[int] = []

    def show(line: str) -> None:
        pids.append(int(line))
        signal.raise_signal(number)

    with pytest.raises(Interrupted) as caught, process.interruptible():
        process.run(
            ["sh", "-c", "echo $$; exec sleep 1000"], environment=ENVIRONMENT, directory=str(tmp_path), show=show
        )
    assert caught.value.status == 128 + number
    watch.await_end(pids)
    assert signal.getsignal(number) == before


def test_signal_does_not_cut_work_short() -> None:
    """A signal that comes while scriptrun does not wait takes effect when the work is done, or at the next wait."""
    done = []

    def work(*, wait: bool) -> None:
        with process.interruptible():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            done.append("work")
            if wait:
                with process.waiting():
                    done.append("waited")

    for wait in (False, True):
        with pytest.raises(Interrupted) as caught:
            work(wait=wait)
        assert caught.value.status == 128 + signal.SIGTERM
    assert done == ["work", "work"]


def test_ignored_signal_stays_ignored() -> None:
    """Under `nohup`, where SIGHUP is ignored, it does not end anything."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with process.interruptible(), process.waiting():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_terminal_does_not_stop_what_others_wait_for(tmp_path: Path) -> None:
    """What a terminal sends to stop a process takes effect after the block."""
    code = (
        "import os, signal\n"
        "from scriptrun import process\n"
        "with process.unstoppable():\n"
        "    os.kill(os.getpid(), signal.SIGTSTP)\n"
        f"    open({str(tmp_path / 'went on')!r}, 'w').close()\n"
    )
    # A group of its own, with a parent outside of it: a group without one, as in CI, is never stopped.
    running = subprocess.Popen([sys.executable, "-c", code], preexec_fn=os.setpgrp)  # noqa: PLW1509 - Python 3.10 has no other
    _, status = os.waitpid(running.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        running.kill()
        running.wait()
    assert os.WIFSTOPPED(status)
    assert (tmp_path / "went on").exists()
