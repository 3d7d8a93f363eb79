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

from scriptrun import process, signals
from scriptrun.errors import Interrupted
from scriptrun.patience import Stalled, Watchdog

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


@pytest.mark.slow
def test_exchange_ends_in_time_with_all_that_was_started(tmp_path: Path) -> None:
    """A program that takes too long is killed with its group, which would hold its output open."""
    note = tmp_path / "note"
    with pytest.raises(process.TimeoutExpired):
        process.exchange(["sh", "-c", f"sleep 1000 & echo $! >{note}; wait"], ENVIRONMENT, b"", 5)
    watch.await_end([int(note.read_text())])


def test_companion_is_told_and_says_how_it_ended() -> None:
    """What accompanies is told things as they come, ends by itself when no more come, and returns its status."""
    code = "read a; read b; echo $a$b; exec >&-; while read c; do :; done; exit 7"
    companion = process.accompany(["sh", "-c", code], ENVIRONMENT)
    companion.say(b"one\n")
    companion.say(b"two\n")
    assert os.read(companion.ending, 100) == b"onetwo\n"
    assert os.read(companion.ending, 100) == b""
    assert companion.end() == 7


def test_companion_that_hangs_or_has_gone_holds_nobody_up(tmp_path: Path) -> None:
    """It need not read what it is told, nor be there any more, and it is killed with all that it started."""
    note = tmp_path / "note"
    hanging = process.accompany(["sh", "-c", f"sleep 1000 & echo $! >{note}; echo; wait"], ENVIRONMENT)
    assert os.read(hanging.ending, 100) == b"\n"
    for _ in range(100):
        hanging.say(b"x" * 65536)
    assert hanging.end() == -signal.SIGKILL
    watch.await_end([int(note.read_text())])
    gone = process.accompany(["sh", "-c", "exit 3"], ENVIRONMENT)
    assert os.read(gone.ending, 100) == b""
    gone.say(b"x")
    assert gone.end() == 3


def test_watched_output_is_the_same(tmp_path: Path) -> None:
    """Who is watched is read as others are: split and broken characters, ends of lines, a last line without one."""
    code = (
        "import os, time\n"
        "for part in (b'\\xc3', b'\\xbc\\r', b'\\n\\xff\\n\\n', b'end \\xe2\\x82'):\n"
        "    os.write(1, part); time.sleep(0.05)\n"
    )
    outputs = []
    for observer in (None, Watchdog(1000, lambda: 0)):
        shown: list[str] = []
        command = [sys.executable, "-c", code]
        finished = process.run(
            command, environment=ENVIRONMENT, directory=str(tmp_path), show=shown.append, watchdog=observer
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
            watchdog=Watchdog(0.3, lambda: 0),
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

    with pytest.raises(Interrupted) as caught, signals.interruptible():
        process.run(
            ["sh", "-c", "echo $$; exec sleep 1000"], environment=ENVIRONMENT, directory=str(tmp_path), show=show
        )
    assert caught.value.status == 128 + number
    watch.await_end(pids)
    assert signal.getsignal(number) == before
