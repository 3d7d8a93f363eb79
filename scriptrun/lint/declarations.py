"""Look for what is wrong with a script's block: all of it, where a run stops at the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import tomli
from packaging.utils import canonicalize_name

from scriptrun import block as blocks
from scriptrun import metadata, places
from scriptrun.block import Block
from scriptrun.errors import MetadataError, ScriptrunError
from scriptrun.lint.findings import Finding
from scriptrun.metadata import Asked

_PREFIX = 2
"""How many characters stand before a line of TOML: `# `."""


def findings(source: bytes, name: str, directory: str) -> Iterator[Finding]:
    """Yield what is wrong with the block in `source`, and with what looks like one."""
    try:
        found, misses = blocks.cut(source, name)
    except MetadataError as error:
        yield invalid(error, name)
        return
    if found is not None:
        yield from _Block(found, name).findings(directory)
        _, misses = blocks.cut(_without(source, found), name)
    for miss in misses:
        yield Finding(name, miss.line, 1, "SR102", miss.message, miss.remedy)


def invalid(error: ScriptrunError, name: str, column: int = 1) -> Finding:
    """Return the finding for an error that ends a run; one without a place is at the top of the file."""
    line = re.search(r":(\d+)$", error.place)
    return Finding(name, int(line.group(1)) if line else 1, column, "SR101", error.message, error.hint)


def _without(source: bytes, found: Block) -> bytes:
    """Return a program with empty lines instead of its block: what is left may look like another one."""
    lines = re.split(rb"\r\n|\r|\n", source)
    lines[found.first - 1 : found.last] = [b""] * (found.last - found.first + 1)
    return b"\n".join(lines)


def requirements(block: Block, name: str) -> list[tuple[int, int]]:
    """Return line and column of each entry of `dependencies`, in a block that is valid."""
    looked = _Block(block, name)
    looked.positions = places.positions(block.text(name))
    count = len(looked.requirements())
    return [looked.place(("dependencies", index)) for index in range(count)]


class _Block:
    """One block being looked at."""

    def __init__(self, block: Block, name: str) -> None:
        self.block = block
        self.name = name
        self.positions: dict[places.Path, tuple[int, int]] = {}

    def findings(self, directory: str) -> Iterator[Finding]:
        try:
            text = self.block.text(self.name)
            table = tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            yield from self.of_the_whole(directory, _PREFIX + error.colno)
        except (MetadataError, RecursionError):
            yield from self.of_the_whole(directory, 1)
        else:
            self.positions = places.positions(text)
            entries = table.get("dependencies")
            if isinstance(entries, list):
                yield from self.of_requirements(entries)
            yield from self.of_the_whole(directory, 0)

    def of_the_whole(self, directory: str, column: int) -> Iterator[Finding]:
        """Yield the error that a run stops at, and the unknown keys; a `column` of 0 is to be found by the line."""
        try:
            script = metadata.parse(self.block, self.name, directory)
        except MetadataError as error:
            finding = invalid(error, self.name, column or 1)
            place = self.first_on(finding.line) if not column else None
            if place not in self.requirements():  # those have a code of their own
                yield invalid(error, self.name, column or self.column(place))
            return
        for warned in script.warnings:
            line = int(warned.place.rpartition(":")[2])
            column = self.column(self.first_on(line))
            yield Finding(self.name, line, column, "SR103", warned.message, warned.remedy)

    def of_requirements(self, entries: list[Any]) -> Iterator[Finding]:
        seen: dict[tuple[str, str], int] = {}
        for index, entry in enumerate(entries):
            if not isinstance(entry, str):
                continue
            line, column = self.place(("dependencies", index))
            try:
                asked = metadata.requirement(entry, self.name)
            except MetadataError as error:
                yield Finding(self.name, line, column, "SR201", error.message, error.hint)
                continue
            for code, message, remedy in _of_requirement(asked, seen, line):
                yield Finding(self.name, line, column, code, message, remedy)

    def requirements(self) -> set[places.Path | None]:
        """Return the paths of the entries of `dependencies`."""
        return {path for path in self.positions if path[0] == "dependencies" and len(path) == 2}

    def first_on(self, line: int) -> places.Path | None:
        """Return the deepest of the keys and entries that begin first on a line of the file."""
        here = [path for path, (row, _) in self.positions.items() if row + self.block.first + 1 == line]
        return min(here, key=lambda path: (self.positions[path], -len(path)), default=None)

    def column(self, path: places.Path | None) -> int:
        return self.place(path)[1] if path else 1

    def place(self, path: places.Path) -> tuple[int, int]:
        """Return line and column in the file, both from 1."""
        line, column = self.positions[path]
        return self.block.first + 1 + line, _PREFIX + column + 1


def _of_requirement(asked: Asked, seen: dict[tuple[str, str], int], line: int) -> Iterator[tuple[str, str, str]]:
    """Yield code, message and remedy of what is to be said of a requirement; `seen` are those before it."""
    requirement = asked.requirement
    if not requirement.specifier and not requirement.url:
        name = requirement.name
        yield "SR202", f"`{name}` may be of any version", f'write the oldest that will do, as in "{name}>=1.0"'
    key = (canonicalize_name(requirement.name), str(requirement.marker or ""))
    if key in seen:
        message = f"`{requirement.name}` is asked for in line {seen[key]} already"
        yield "SR203", message, "put both into one requirement"
    seen.setdefault(key, line)
