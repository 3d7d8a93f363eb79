"""The list of files that a distribution installed: its RECORD (PEP 376)."""

from __future__ import annotations

import csv
from collections.abc import Iterable

Row = tuple[str, str, str]
"""A file: its path, from the directory of modules or absolute, its hash as `sha256=…` (`""`: none), its size."""

NAME = "RECORD"


def read(path: str) -> list[Row]:
    """Return the rows of a RECORD. Raises OSError, ValueError and csv.Error."""
    with open(path, encoding="utf-8", newline="") as file:
        return [(name, expected, size) for name, expected, size in csv.reader(file)]


def write(path: str, rows: Iterable[Row]) -> None:
    """Write a RECORD as pip does: sorted. Raises OSError."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(sorted(rows))
