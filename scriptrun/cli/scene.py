"""What there is to be seen on a terminal while pip works, and how much room it has."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace

from scriptrun import pip_progress
from scriptrun.errors import escape
from scriptrun.pip_progress import Event

_ROOM = 3
"""How many columns stay free: a terminal writes `^C` behind the last line, which must not begin another one."""


def room() -> tuple[int, int]:
    """Return how many columns may be written on, and how many lines there are, on the terminal at stderr."""
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        columns, lines = 0, 0
    return max((columns or 80) - _ROOM, 1), lines or 24


def fit(text: str) -> str:
    """Return `text` with all escaped that the terminal is not to get, or cannot show."""
    encoding = sys.stderr.encoding
    return escape(text).encode(encoding, "backslashreplace").decode(encoding)


@dataclass(frozen=True)
class Download:
    """A download: its name, how many bytes it has, how many have come, when it began, and when it ended (0: not yet).

    Moments are seconds of the monotonic clock.
    """

    name: str
    size: int
    received: int
    began: float
    ended: float = 0.0

    def finished(self) -> Download:
        """Return the same when it has ended, if it had not."""
        if self.ended:
            return self
        return replace(self, received=self.size or self.received, ended=time.monotonic())

    def rate(self) -> float:
        """Return how many bytes a second came, or come."""
        passed = (self.ended or time.monotonic()) - self.began
        return self.received / passed if passed > 0 else 0.0


@dataclass(frozen=True)
class Scene:
    """What there is to be seen: what goes on, in words, and the downloads, the oldest first."""

    words: str
    downloads: tuple[Download, ...] = ()

    def after(self, event: Event) -> Scene:
        """Return what there is to be seen when pip has said what it does."""
        if event.doing == pip_progress.INSTALLING:
            return Scene(fit(event.words))
        if event.doing != pip_progress.DOWNLOADING:
            return Scene(fit(event.words), tuple(one.finished() for one in self.downloads))
        name = fit(event.names[0])
        *before, last = self.downloads or (Download("", 0, 0, 0.0),)
        if last.name == name and not last.ended:
            now = replace(last, size=event.size, received=event.received)
        else:
            before, now = [one.finished() for one in self.downloads], Download(name, event.size, 0, time.monotonic())
        return Scene(f"downloading {name}", (*before, now))
