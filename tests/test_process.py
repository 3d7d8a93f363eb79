"""Programs that scriptrun starts end with it, whatever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import watch

from scriptrun import process
from scriptrun.errors import Interrupted

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
        after = signal.getsignal(signal.SIGCHLD)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert finished == process.Finished(3, "")
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
