"""Draw on the terminal at stderr, with `rich`, what is going on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scriptrun import output, quantities
from scriptrun.cli.scene import Download, Scene

_SHOWN_DOWNLOADS = 5

_NARROW, _WIDE = 40, 70
"""Below so many columns there is room for words and sizes only; from so many on, for everything."""

_BAR, _AMOUNT, _RATE = 20, 18, 9
"""How many columns these take."""


@contextmanager
def begin() -> Iterator[Callable[[Scene, float, tuple[int, int]], None]]:
    """Yield what draws a scene, as it is so many seconds after the begin, on a terminal of that size."""
    screen = _Screen()
    live = Live(console=screen, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)

    def draw(scene: Scene, passed: float, size: tuple[int, int]) -> None:
        screen.size = size
        live.update(_lines(scene, passed, screen), refresh=True)

    with live:
        yield draw


class _Stream:
    """stderr, past Python's buffer, and whatever becomes of it."""

    @property
    def encoding(self) -> str:
        """What stderr can show."""
        return sys.stderr.encoding

    def write(self, text: str) -> int:
        """Write it at once."""
        output.tell(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing waits."""


class _Screen(Console):
    """The terminal at stderr."""

    def __init__(self) -> None:
        stream = cast("IO[str]", _Stream())
        super().__init__(file=stream, force_terminal=True, force_jupyter=False, legacy_windows=False)
        self.plain = self.options.ascii_only
        self.spinner = Spinner("line" if self.plain else "dots")

    def show_cursor(self, show: bool = True) -> bool:  # noqa: FBT001, FBT002, ARG002 - as in the base class
        """Leave it visible: who is killed could not bring it back."""
        return False


def _lines(scene: Scene, passed: float, screen: _Screen) -> RenderableType:
    """Return what goes on, for how long, and the last downloads, as far as there is room."""
    width, height = screen.size
    shown = min(_SHOWN_DOWNLOADS, max(height - 2, 0))
    plain = screen.plain
    elapsed = [Text(f"{passed:.0f} s", "dim")] if width >= _NARROW else []
    downloads = [_line(one, width, plain=plain) for one in scene.downloads[-shown:] if shown]
    return Group(_row([screen.spinner.render(passed), Text(scene.words), *elapsed], plain=plain), *downloads)


def _line(one: Download, width: int, *, plain: bool) -> Table:
    """Return the line of a download."""
    amount = quantities.shown_octets(one.size or one.received)
    if not one.ended and width >= _NARROW:
        amount = f"{quantities.shown_octets(one.received)} of {amount}"
    cells: list[RenderableType] = [Text(" "), Text(one.name)]
    if width >= _WIDE:
        cells.append(ProgressBar(one.size or 1, one.received, _BAR))
    cells.append(Text(amount.rjust(_AMOUNT if width >= _WIDE else 0)))
    if width >= _NARROW:
        rate = f"{quantities.shown_octets(one.rate())}/s" if one.received else ""
        cells.append(Text(rate.rjust(_RATE), "cyan"))
    return _row(cells, plain=plain)


def _row(cells: Sequence[RenderableType], *, plain: bool) -> Table:
    """Return a line of cells: the second one takes what room there is, and is cut where that is too little."""
    line = Table.grid(padding=(0, 1), expand=True)
    for number in range(len(cells)):
        ratio = 1 if number == 1 else None
        line.add_column(no_wrap=True, overflow="crop" if plain else "ellipsis", ratio=ratio)
    line.add_row(*cells)
    return line
