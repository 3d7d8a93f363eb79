"""Give up what stands still: it writes nothing, makes nothing, computes nothing, and might do so for ever."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from scriptrun import quantities

if TYPE_CHECKING:
    import psutil

    from scriptrun.arguments import Options

HINT = "--prepare-timeout (SCRIPTRUN_PREPARE_TIMEOUT) sets for how many seconds to be patient"
"""What may be done about it, as the end of a hint."""

_DEFAULT_LIMIT = "120"
_SPARSE = 2.0
"""How many seconds lie between two looks at most."""


_SUBSTANTIAL = 1 << 16
"""How many bytes that are written are progress, and no mere word that something is still waited for."""


class Stalled(Exception):
    """Nothing has moved for as long as that may be: says so, without a subject."""


def limit(options: Options) -> float:
    """Return for how many seconds nothing may move while something is prepared, infinity where that does not matter."""
    return float(options.value("prepare-timeout") or _DEFAULT_LIMIT) or math.inf


class Watchdog:
    """Looks every `tick` seconds whether something moves, and calls `moved` if so.

    It does where that is said (`mark`), where what `state` returns is another than before, and where processes have
    used the processor for a hundredth of the time that is allowed, within bounds, or have written much. Time in which
    this process could not look does not count: the machine may have slept, or a terminal have stopped it.
    """

    def __init__(self, allowed: float, state: Callable[[], object], moved: Callable[[], None] = lambda: None) -> None:
        self.tick = min(allowed / 10, _SPARSE)
        self._allowed = allowed
        self._effort = min(max(allowed / 100, 0.05), 1.0)
        self._state = state
        self._moved = moved
        self._marked = True
        self._seen = state()
        self._done = Work()
        self._looked = time.monotonic()
        self._still = 0.0

    def mark(self) -> None:
        """Take note that something moves."""
        self._marked = True

    def look(self, pid: int) -> None:
        """Look, unless that was done just now, at what the process `pid` and all that it started do.

        0 stands for a process that is not known. Raises Stalled.
        """
        passed = time.monotonic() - self._looked
        if passed < self.tick:
            return
        self._looked += passed
        if self._has_moved(pid):
            self._still = 0.0
            self._moved()
            return
        self._still += min(passed, 2 * self.tick)
        if self._still >= self._allowed:
            raise Stalled(f"made no progress for {quantities.shown_seconds(self._allowed)}")

    def _has_moved(self, pid: int) -> bool:
        """Tell whether something has moved, asking first what costs least."""
        marked, self._marked = self._marked, False
        return marked or self._has_worked(pid) or self._has_changed()

    def _has_worked(self, pid: int) -> bool:
        done = work(pid) if pid else Work()
        worked = done.seconds - self._done.seconds >= self._effort or done.written - self._done.written >= _SUBSTANTIAL
        if worked or done.seconds < self._done.seconds:  # a process has gone, and its work was nobody's
            self._done = done
        return worked

    def _has_changed(self) -> bool:
        before, self._seen = self._seen, self._state()
        return before != self._seen


class Work(NamedTuple):
    """How many seconds of the processor were used, and how many bytes were written, wherever to."""

    seconds: float = 0.0
    written: int = 0


def work(pid: int) -> Work:
    """Return what a process has done, or its descendants, also those that have ended.

    Who has started others waits for them: what it does is to look at them.
    """
    import psutil  # rare: most of what is watched is over before anybody looks

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        done = [_own_work(one) for one in process.children(recursive=True) or (process,)]
        return Work(sum(one.seconds for one in done), sum(one.written for one in done))
    return Work()


def _own_work(process: psutil.Process) -> Work:
    """Return what a process has done, and those that it started and waited for."""
    import psutil

    with contextlib.suppress(psutil.Error):
        seconds = float(sum(process.cpu_times()[:4]))
        return Work(seconds, process.io_counters().write_chars if sys.platform == "linux" else 0)
    return Work()
