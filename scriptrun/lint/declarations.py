"""Look for what is wrong with a script's block: all of it, where a run stops at the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import tomli
from packaging.utils import canonicalize_name

from scriptrun import block as blocks
from scriptrun import metadata, places
from scriptrun.block import Block
from scriptrun.editing.requirements import NAME
from scriptrun.errors import MetadataError, ScriptrunError
from scriptrun.lint.findings import Finding
from scriptrun.metadata import Asked

_PREFIX = 2
"""How many characters stand before a line of TOML: `# `."""


def findings(source: bytes, name: str, directory: str) -> Iterator[Finding]:
    """Yield what is wrong with the block in `source`, and with what looks like one."""
    try:
        found, misses = blocks.cut(source, name)
        if found is not None:
            yield from _Reader(found, name, directory).findings()
            _, misses = blocks.cut(_without(source, found), name)
    except MetadataError as error:
        yield invalid(error, name)
        return
    for miss in misses:
        yield Finding(name, miss.line, 1, "SR102", miss.message, miss.remedy)


def invalid(error: ScriptrunError, name: str) -> Finding:
    """Return the finding for an error that ends a run; one without a place is at the top of the file."""
    return Finding(name, *_numbers(error.place, name), "SR101", error.message, error.hint)


def requirements(block: Block, name: str) -> list[tuple[int, int]]:
    """Return line and column of each entry of `dependencies`, in a block that is valid."""
    positions = places.positions(block.text(name))
    entries = [path for path in positions if path[0] == "dependencies" and len(path) == 2]
    found = (positions["dependencies", index] for index in range(len(entries)))
    return [(block.first + 1 + line, _PREFIX + column + 1) for line, column in found]


def named(block: Block, name: str) -> tuple[Asked, ...]:
    """Return requirements for the distributions that `dependencies` names, also in entries that are not valid."""
    entries = tomli.loads(block.text(name)).get("dependencies", [])
    found = (NAME.match(entry.strip()) for entry in entries)
    return tuple(metadata.requirement(one.group(), name) for one in found if one is not None)


def _numbers(place: str, name: str) -> tuple[int, int]:
    """Return line and column of a place in the file `name`; what is not said is 1."""
    numbers = re.fullmatch(r":(\d+)(?::(\d+))?", place.removeprefix(name))
    return (int(numbers.group(1)), int(numbers.group(2) or 1)) if numbers else (1, 1)


def _without(source: bytes, found: Block) -> bytes:
    """Return a program with empty lines instead of its block: what is left may look like another one."""
    lines = re.split(rb"\r\n|\r|\n", source)
    lines[found.first - 1 : found.last] = [b""] * (found.last - found.first + 1)
    return b"\n".join(lines)


class _Reader(metadata.Reader):
    """Reads a block past requirements that are wrong, and knows columns: its places are `file:line:column`."""

    def __init__(self, block: Block, name: str, directory: str) -> None:
        super().__init__(block, name, directory)
        self.found: list[Finding] = []

    def findings(self) -> list[Finding]:
        try:
            self.metadata()
        except MetadataError as error:
            self.found.append(invalid(error, self.name))
        for warned in self.warnings:
            self.note("SR103", warned.place, warned.message, warned.remedy)
        return self.found

    def note(self, code: str, place: str, message: str, remedy: str) -> None:
        self.found.append(Finding(self.name, *_numbers(place, self.name), code, message, remedy))

    def _table(self) -> dict[str, Any]:
        try:
            return super()._table()
        except MetadataError as error:
            if isinstance(error.__context__, tomli.TOMLDecodeError):
                error.place += f":{_PREFIX + error.__context__.colno}"
            raise

    def _place(self, *path: str | int) -> str:
        place = super()._place(*path)
        positions = places.positions(self.text) if self.lines else {}
        while path and path not in positions:
            path = path[:-1]
        return f"{place}:{_PREFIX + positions[path][1] + 1}" if path else place

    def _dependencies(self, value: object) -> tuple[Asked, ...]:
        """Return the requirements that are valid, and note what is to be said of each."""
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            try:
                return super()._dependencies(value)
            except MetadataError as error:
                self.found.append(invalid(error, self.name))
                return ()
        asked = []
        for index, entry in enumerate(value):
            try:
                asked.append(metadata.requirement(entry, self._place("dependencies", index)))
            except MetadataError as error:
                self.note("SR201", error.place, error.message, error.hint)
        self.compare(asked)
        return tuple(asked)

    def compare(self, asked: Iterable[Asked]) -> None:
        """Note which requirements have no bounds, and which are there twice."""
        seen: dict[tuple[str, str], int] = {}
        for one in asked:
            requirement = one.requirement
            if not requirement.specifier and not requirement.url:
                remedy = f'write the oldest that will do, as in "{requirement.name}>=1.0"'
                self.note("SR202", one.place, f"`{requirement.name}` may be of any version", remedy)
            key = (canonicalize_name(requirement.name), str(requirement.marker or ""))
            if key in seen:
                message = f"`{requirement.name}` is asked for in line {seen[key]} already"
                self.note("SR203", one.place, message, "put both into one requirement")
            seen.setdefault(key, _numbers(one.place, self.name)[0])
