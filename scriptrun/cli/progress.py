"""Show what goes on while an environment is prepared: lines that change, on a terminal, and nothing elsewhere.

Where somebody waits who has typed no command, and has no terminal, a window shows it.
"""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scriptrun import attendant, output, pip_progress, quantities
from scriptrun.arguments import Options
from scriptrun.errors import escape
from scriptrun.pip_progress import Event

if TYPE_CHECKING:
    from typing_extensions import Self  # in `typing` from Python 3.11

    from scriptrun.cli.display import Display

Sink = Callable[[str], None]

_ERASE = "\r\x1b[K"


@contextmanager
def window(name: str, environ: Mapping[str, str]) -> Iterator[Sink | None]:
    """Yield what shows a line in a window, while somebody waits for the program `name` without a terminal; else None.

    The window goes at the end of the block.
    """
    found = attendant.find(environ)
    if found is None or found.terminal:
        yield None
        return
    from scriptrun.desktop import dialogs  # only then

    with dialogs.progress(os.path.basename(name), environ) as show:
        yield show


def announce(name: str, environ: Mapping[str, str]) -> None:
    """Say in plain words that the program `name` is prepared, in a terminal that opened for it: nobody asked for that.

    What is told of each step does not say so to somebody who does not know what it is about.
    """
    found = attendant.find(environ)
    if found is not None and found.terminal:
        output.tell(f"Preparing {escape(os.path.basename(name))}; this happens only once.\n")


class Progress:
    """A context in which `show` tells the user of each step. With `verbose` every line is kept, on any stderr.

    It may be entered again when it was left. `sink` is what shows a line where no terminal does. When it is left, a
    line stays that says what was done, if that was told and nothing failed.
    """

    def __init__(self, options: Options, sink: Sink | None = None) -> None:
        self._sink = sink
        self._verbose = options.flag("verbose") and not options.flag("quiet")
        self._terminal = not options.flag("quiet") and not self._verbose and _on_terminal()
        self._reader = pip_progress.Reader()
        self._display: Display | None = None
        self._shown = False
        self._began = 0.0
        self._done = ""

    def __enter__(self) -> Self:
        """Begin."""
        self._began, self._done = time.monotonic(), ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Take away what changes, and say what was done."""
        self.clear()
        if kind is None and self._done and (self._verbose or self._terminal):
            passed = quantities.shown_duration(time.monotonic() - self._began)
            output.tell(f"scriptrun: {self._done} in {passed}\n")

    def clear(self) -> None:
        """Take away what changes, so that others may write; the next step is shown again."""
        if self._display is not None:
            self._display.end()
            self._display = None
        if self._shown:
            output.tell(_ERASE)
            self._shown = False

    def prepared(self, distributions: int) -> None:
        """Take note that an environment has been made, which holds so many distributions."""
        self._note("prepared", distributions)

    def resolved(self, distributions: int) -> None:
        """Take note that pip has chosen so many distributions."""
        self._note("resolved", distributions)

    def _note(self, done: str, distributions: int) -> None:
        plural = "" if distributions == 1 else "s"
        self._done = f"{done} {distributions} distribution{plural}" if distributions else ""

    def show(self, line: str) -> None:
        """Show a step, or a line of pip's."""
        if self._verbose and not pip_progress.is_count(line):
            output.tell(f"scriptrun: {escape(line.strip())}\n")
        event = self._reader.read(line)
        words = event.words if event else line
        if event is None and not line[:1].islower():
            return
        if self._sink is not None:
            self._sink(escape(words))
        elif self._terminal:
            self._show_on_terminal(words, event)

    def _show_on_terminal(self, words: str, event: Event | None) -> None:
        """Show a step: in one line until pip speaks, for what takes a moment takes no more then."""
        if self._display is not None and event is not None:
            self._display.tell(event)
        elif self._display is not None:
            self._display.say(words)
        elif event is not None:
            from scriptrun.cli.display import Display

            self.clear()
            self._display = Display(event, self._began)
            self._display.start()
        else:
            from scriptrun.cli import scene

            output.tell(_ERASE + f"scriptrun: {scene.fit(words)}"[: scene.room()[0]])
            self._shown = True


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    except (AttributeError, ValueError):
        return False
