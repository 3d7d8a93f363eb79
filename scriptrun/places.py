"""Tell where in a TOML text each key and each entry of an array stands: TOML parsers keep no positions.

Reads only text that a parser has accepted, so it need not tell good from bad.
"""

from __future__ import annotations

import re

import tomli

Path = tuple[str | int, ...]
"""Keys from the top down; numbers, from 0, for entries of arrays, of tables too. Deeper than DEPTH is as its parent."""

DEPTH = 6

TOKEN = re.compile(
    r'''
      (?P<string> """(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*' )
    | (?P<word> [^\s\[\]{},="'\#]+ )
    | (?P<mark> [\[\]{},=] )
    | (?P<end> \n )
    | (?P<nothing> \#[^\n]* | [ \t\r]+ )
    ''',
    re.DOTALL | re.VERBOSE,
)
"""What valid TOML consists of."""


def find(text: str) -> dict[Path, int]:
    """Return the lines, from 0, on which the keys and array entries of valid TOML first stand."""
    return {path: line for path, (line, _) in positions(text).items()}


def positions(text: str) -> dict[Path, tuple[int, int]]:
    """Return line and column, from 0, at which the keys and array entries of valid TOML first begin."""
    finder = _Finder()
    for token in TOKEN.finditer(text):
        finder.take(token.lastgroup or "", token.group(), token.start())
    return finder.positions


class _Finder:
    """Walks over tokens: `value` is the path of the value that is being read, None while a key is.

    `begin` is where the current token begins, or the key that it is a part of; `start` is where its line does.
    """

    def __init__(self) -> None:
        self.positions: dict[Path, tuple[int, int]] = {}
        self.begin = (0, 0)
        self.line = 0
        self.start = 0
        self.table: Path = ()
        self.open: list[tuple[Path, int | None]] = []  # arrays, with the entry being read, and inline tables
        self.key: list[str] = []
        self.value: Path | None = None
        self.brackets = 0  # before the name of a table
        self.arrays: dict[Path, int] = {}  # of tables, with the number of the last

    def take(self, kind: str, word: str, at: int) -> None:
        if not self.key:
            self.begin = (self.line, at - self.start)
        if kind == "mark":
            self.mark(word)
        elif kind == "end" and not self.open:
            self.value = None
        elif kind in ("string", "word"):
            if self.value is None:
                self.key += _parts(kind, word)
            else:
                self.here()
        if "\n" in word:
            self.line += word.count("\n")
            self.start = at + word.rindex("\n") + 1

    def mark(self, mark: str) -> None:
        if mark == "=":
            self.value = self.note((self.open[-1][0] if self.open else self.table) + tuple(self.key))
            self.key = []
        elif self.value is None and not self.open:
            self.name(mark)
        elif mark == "[":
            self.open.append((self.here(), 0))
        elif mark == "{":
            self.open.append((self.here(), None))
            self.value = None
        elif mark == ",":
            path, entry = self.open[-1]
            self.open[-1] = (path, None if entry is None else entry + 1)
            self.value = None if entry is None else path
        else:
            self.value, _ = self.open.pop()

    def name(self, mark: str) -> None:
        """Take a bracket around the name of a table: one, or two for a further entry of an array of tables."""
        if mark == "[":
            self.brackets += 1
        elif self.key:
            *above, last = self.key[:DEPTH]
            path: Path = ()
            for key in above:
                path = self.inside((*path, key))
            path = (*path, last)
            if self.brackets > 1:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            self.table = self.note(self.inside(path))
            self.key = []
            self.brackets = 0

    def inside(self, path: Path) -> Path:
        """Return the path of what is being added to: of an array of tables, its last entry."""
        return (*path, self.arrays[path]) if path in self.arrays else path

    def here(self) -> Path:
        """Return the path of the value that begins here."""
        path, entry = self.open[-1] if self.open else ((), None)
        return self.value or () if entry is None else self.note((*path, entry))

    def note(self, path: Path) -> Path:
        path = path[:DEPTH]
        for length in range(1, len(path) + 1):
            self.positions.setdefault(path[:length], self.begin)
        return path


def _parts(kind: str, word: str) -> list[str]:
    """Return the keys in a piece of a dotted key."""
    if kind == "word":
        return [part for part in word.split(".") if part]
    return list(tomli.loads(f"{word} = 0"))
