"""Signals that would end scriptrun take effect where nothing is left half done; a wait is looked at meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from support.user import LIMIT

from scriptrun import signals
from scriptrun.errors import Interrupted
from scriptrun.patience import Stalled


def test_look_ends_a_wait() -> None:
    """What a look raises ends a wait that has no end; handler and timer are as they were before."""
    looks: list[int] = []

    def look() -> None:
        looks.append(0)
        if len(looks) == 3:
            raise Stalled

    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with pytest.raises(Stalled), signals.every(0.01, look):
            threading.Event().wait(LIMIT)
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGALRM, before)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_look_ends_a_wait_under_a_starter_that_blocks_alarms() -> None:
    """Who is started with SIGALRM blocked is not left without a time limit; it is blocked again afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        with pytest.raises(Stalled), signals.every(0.01, fail):
            threading.Event().wait(LIMIT)
        assert signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, set())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fail() -> None:
    """Find that nothing moves."""
    raise Stalled


def test_alarm_that_was_set_before_goes_off() -> None:
    """An alarm that scriptrun was started with ends the wait when it is due; a later one is set as before."""
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000, 500)
        with signals.every(0.01, lambda: None):
            pass
        delay, interval = signal.getitimer(signal.ITIMER_REAL)
        assert (900 < delay <= 1000, interval, rung) == (True, 500, [])
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted), signals.every(0.01, lambda: None):
            threading.Event().wait(LIMIT)
        while not rung:
            signal.sigtimedwait([], 0.01)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_signal_does_not_cut_work_short() -> None:
    """A signal that comes while scriptrun does not wait takes effect when the work is done, or at the next wait."""
    done = []

    def work(*, wait: bool) -> None:
        with signals.interruptible():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            done.append("work")
            if wait:
                with signals.waiting():
                    done.append("waited")

    for wait in (False, True):
        with pytest.raises(Interrupted) as caught:
            work(wait=wait)
        assert caught.value.status == 128 + signal.SIGTERM
    assert done == ["work", "work"]


def test_signal_at_the_very_end_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes while the former effects are put back takes effect as well."""
    change, sent = signal.signal, list[int]()

    def late(number: int, handler: Callable[[int, FrameType | None], object]) -> object:
        if not sent:
            sent.append(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
        return change(number, handler)

    with pytest.raises(Interrupted) as caught, signals.interruptible():
        monkeypatch.setattr(signal, "signal", late)
    assert caught.value.status == 128 + signal.SIGTERM


def test_ignored_signal_stays_ignored() -> None:
    """Under `nohup`, where SIGHUP is ignored, it does not end anything."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.interruptible(), signals.waiting():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_terminal_does_not_stop_what_others_wait_for(tmp_path: Path) -> None:
    """What a terminal sends to stop a process takes effect after the block."""
    code = (
        "import os, signal\n"
        "from scriptrun import signals\n"
        "with signals.unstoppable():\n"
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
