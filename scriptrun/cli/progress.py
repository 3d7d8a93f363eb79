"""Show what goes on while an environment is prepared: one changing line on a terminal, and nothing elsewhere.

In a window, where the user has neither.
"""

from __future__ import annotations

import os
import shutil
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scriptrun import output
from scriptrun.arguments import Options
from scriptrun.desktop import attended
from scriptrun.errors import escape

if TYPE_CHECKING:
    from typing_extensions import Self  # in `typing` from Python 3.11

_ERASE = "\r\x1b[K"
_TOLD = ("Collecting", "Downloading", "Using cached", "Building", "Preparing", "Installing", "Getting", "Cloning")


class _Window:
    """What shows a line in the window, if there is one."""

    show: Callable[[str], None] | None = None


@contextmanager
def window(name: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Show what is told in the block in a window, where the user waits for the program `name` without a terminal."""
    attendance = attended.find(environ)
    if attendance is None or attendance.terminal:
        yield
        return
    from scriptrun.desktop import dialogs  # only then

    with dialogs.progress(os.path.basename(name), environ) as show:
        _Window.show = show
        try:
            yield
        finally:
            _Window.show = None


class Progress:
    """A context in which `show` tells the user of each step. With `verbose` every line is kept, on any stderr."""

    def __init__(self, options: Options) -> None:
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

    def show(self, line: str) -> None:
        """Show a step, or a line of pip's."""
        text = escape(line.strip())
        if self._verbose:
            output.tell(f"scriptrun: {text}\n")
        if not text or not (text[0].islower() or text.startswith(_TOLD)):
            return
        if _Window.show is not None:
            _Window.show(text)
        elif self._terminal:
            width = shutil.get_terminal_size().columns - 1
            output.tell(_ERASE + f"scriptrun: {text}"[:width])
            self._shown = True


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    except (AttributeError, ValueError):
        return False
