"""Lay text out in columns: as wide as it is, and on a terminal no wider than that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence

from scriptrun.errors import escape

_GAP = "  "
_LEAST = 12
"""How narrow a column gets before whole lines are cut."""


def lay_out(
    headings: Sequence[str], rows: Sequence[Sequence[str]], flexible: Collection[int], spare: Sequence[int] = ()
) -> str:
    """Return a table, its cells escaped; without `headings` it has no line of them.

    On a narrow terminal the columns `flexible`, by number, give way; where that is not enough, the `spare` ones are
    left out, the first one first.
    """
    head = [[heading.upper() for heading in headings]] if headings else []
    lines = [[escape(cell) for cell in row] for row in (*head, *rows)]
    widths = {number: max(map(len, column)) for number, column in enumerate(zip(*lines, strict=True))}
    room = shutil.get_terminal_size().columns if os.isatty(1) else None
    if room is not None:
        _leave_out(widths, flexible, spare, room)
        _narrow(widths, flexible, room)
    texts = (
        _GAP.join(_cut(line[number], width).ljust(width) for number, width in widths.items()).rstrip() for line in lines
    )
    return "".join((text if room is None else _cut(text, room)) + "\n" for text in texts)


def _leave_out(widths: dict[int, int], flexible: Collection[int], spare: Sequence[int], room: int) -> None:
    """Leave out spare columns until the rest fits, were the flexible ones as narrow as they get."""
    for column in spare:
        least = {number: min(width, _LEAST) if number in flexible else width for number, width in widths.items()}
        if _total(least) > room:
            del widths[column]


def _narrow(widths: dict[int, int], flexible: Collection[int], room: int) -> None:
    """Take the widest of the flexible columns in, until all fit or none can give more."""
    while _total(widths) > room:
        widest = max(flexible, key=lambda column: widths[column])
        if widths[widest] <= _LEAST:
            return
        widths[widest] -= 1


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
