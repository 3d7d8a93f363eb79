"""What can show windows here: several toolkits, each in its own way, none of which is taken for granted."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Protocol

from scriptrun.desktop.toolkits import accessibility, tk
from scriptrun.desktop.toolkits.bar import Bar
from scriptrun.desktop.toolkits.kdialog import KDialog
from scriptrun.desktop.toolkits.messages import Failure, Question
from scriptrun.desktop.toolkits.zenity import Zenity


class Toolkit(Protocol):
    """Shows windows. `readable`: screen readers can read them."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def readable(self) -> bool:
        """Whether screen readers can read its windows."""

    def works(self, environ: Mapping[str, str]) -> bool:
        """Tell whether it is there and finds a screen."""

    def tell(self, failure: Failure, environ: Mapping[str, str]) -> bool:
        """Show a failure until it is closed; False: nothing could be shown."""

    def ask(self, question: Question, environ: Mapping[str, str]) -> bool | None:
        """Return whether to run; None: nothing could be shown."""

    def progress(self, title: str, environ: Mapping[str, str]) -> Bar:
        """Start a window of progress. Raises OSError."""


def usable(environ: Mapping[str, str]) -> Iterator[Toolkit]:
    """Yield what may be able to show windows, the best first. None is where there is no screen.

    Screen readers cannot read windows of Tk, so these come last where one may be in use.
    """
    if sys.platform.startswith("linux") and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return
    others: tuple[Toolkit, ...] = (Zenity(), KDialog())
    first = accessibility.is_on(environ)
    if first:
        yield from others
    yield from tk.found(environ)
    if not first:
        yield from others
