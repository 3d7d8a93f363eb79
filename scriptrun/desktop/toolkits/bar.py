"""A window that shows what happens, and the exit statuses by which windows answer; `window.py` has these too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scriptrun.process import Companion

CLOSED, RUN, CANCEL = 10, 11, 12


@dataclass(frozen=True)
class Bar:
    """A window of a program beside this one; `told` makes of a step what the program is told."""

    program: Companion
    told: Callable[[str], bytes]

    @property
    def ending(self) -> int:
        """A descriptor that can be read from when the window has gone."""
        return self.program.ending

    def show(self, step: str) -> None:
        """Say what happens now."""
        self.program.say(self.told(step))

    def end(self) -> int:
        """Close the window and return CANCEL if the user had done so; anything else but CLOSED: it did not work."""
        return self.program.end()
