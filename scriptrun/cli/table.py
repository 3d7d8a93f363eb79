"""Lay text out in columns: as wide as it is, and on a terminal no wider than that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence

from scriptrun.errors import escape

_GAP = "  "
_LEAST = 12
"""How narrow a column gets before whole lines are cut."""


def lay_out(headings: Sequence[str], rows: Sequence[Sequence[str]], flexible: Collection[int]) -> str:
    """Return a table, its cells escaped; the columns `flexible`, by number, give way on a narrow terminal."""
    lines = [[escape(cell) for cell in row] for row in ([heading.upper() for heading in headings], *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    room = shutil.get_terminal_size().columns if os.isatty(1) else None
    if room is not None:
        _narrow(widths, flexible, room - len(_GAP) * (len(widths) - 1))
    texts = (
        _GAP.join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return "".join((text if room is None else _cut(text, room)) + "\n" for text in texts)


def _narrow(widths: list[int], flexible: Collection[int], room: int) -> None:
    """Take the widest of the flexible columns in, until all fit or none can give more."""
    while sum(widths) > room:
        widest = max(flexible, key=lambda column: widths[column])
        if widths[widest] <= _LEAST:
            return
        widths[widest] -= 1


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
