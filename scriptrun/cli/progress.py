"""Show what goes on while an environment is prepared: one changing line on a terminal, and nothing elsewhere.

Where somebody waits who has typed no command, and has no terminal, a window shows it.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scriptrun import attendant, output
from scriptrun.arguments import Options
from scriptrun.errors import escape

if TYPE_CHECKING:
    from typing_extensions import Self  # in `typing` from Python 3.11

Sink = Callable[[str], None]

_ERASE = "\r\x1b[K"
_TOLD = ("Collecting", "Downloading", "Using cached", "Building", "Preparing", "Installing", "Getting", "Cloning")


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

    It may be entered again when it was left. `sink` is what shows a line where no terminal does.
    """

    def __init__(self, options: Options, sink: Sink | None = None) -> None:
        self._sink = sink
        self._verbose = options.flag("verbose") and not options.flag("quiet")
        self._terminal = not options.flag("quiet") and not self._verbose and _on_terminal()
        self._shown = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Take the line away again."""
        if self._shown:
            output.tell(_ERASE)
            self._shown = False

    def show(self, line: str) -> None:
        """Show a step, or a line of pip's."""
        text = escape(line.strip())
        if self._verbose:
            output.tell(f"scriptrun: {text}\n")
        if not text or not (text[0].islower() or text.startswith(_TOLD)):
            return
        if self._sink is not None:
            self._sink(text)
        elif self._terminal:
            import shutil  # on a terminal alone

            width = shutil.get_terminal_size().columns - 1
            output.tell(_ERASE + f"scriptrun: {text}"[:width])
            self._shown = True


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    except (AttributeError, ValueError):
        return False
