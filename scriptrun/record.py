"""The list of files that a distribution installed: its RECORD (PEP 376)."""

TYPE_CHECKING = False  # `typing` and `csv` cost more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[str, str, str]
"""A file: its path, from the directory of modules or absolute, its hash as `sha256=…` (`""`: none), its size."""

NAME = "RECORD"


def read(path: str) -> list[Row]:
    """Return the rows of a RECORD. Raises OSError, ValueError and csv.Error."""
    import csv

    with open(path, encoding="utf-8", newline="") as file:
        return [(name, expected, size) for name, expected, size in csv.reader(file)]


def text(rows: "Iterable[tuple[str, str]]") -> str:
    """Return a RECORD as pip writes it: sorted. Of each file there is the name, and the rest of its line."""
    return "".join([f"{_quoted(name)},{rest}\r\n" for name, rest in sorted(rows)])


def _quoted(name: str) -> str:
    """Return a name as Python's `csv` writes it."""
    if "," in name or '"' in name or "\n" in name or "\r" in name:
        return '"' + name.replace('"', '""') + '"'
    return name
