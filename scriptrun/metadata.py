"""Turn the text of a `script` block into what it asks for.

Implements the specification "Inline script metadata" (packaging.python.org); requirements are PEP 508,
`requires-python` is a version specifier. Every error names the line of the script, not of the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from scriptrun import block as blocks
from scriptrun.arguments import FLAG, LIST, OPTIONS, Option, Options, anchored, is_path
from scriptrun.block import Block
from scriptrun.errors import MetadataError

_KEYS = ("dependencies", "requires-python", "tool")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*|[\[\]{},]|\s+|[^\s\[\]{},"\'#]+',
    re.DOTALL,
)


@dataclass(frozen=True)
class Asked:
    """One requirement and where it is asked for: `file:line`, or the option's name."""

    requirement: Requirement
    place: str


@dataclass(frozen=True)
class Warned:
    """A warning about the block: place (`file:line`), text, remedy, and whether it is probably a slip."""

    place: str
    message: str
    remedy: str
    slip: bool


@dataclass(frozen=True)
class ScriptMetadata:
    """What a `script` block says. `options` are those of `[tool.scriptrun]`, paths made absolute."""

    dependencies: tuple[Asked, ...] = ()
    requires_python: SpecifierSet = field(default_factory=SpecifierSet)
    requires_python_place: str = ""
    options: Options = field(default_factory=Options)
    relative_paths: bool = False
    warnings: tuple[Warned, ...] = ()


def parse(block: Block | None, name: str, directory: str) -> ScriptMetadata:
    """Return what `block` of the file `name` says; relative paths in it start at `directory`.

    Raises MetadataError.
    """
    if block is None:
        return ScriptMetadata()
    return _Reader(block, name, directory).metadata()


def requirement(text: str, place: str) -> Asked:
    """Return the PEP 508 requirement in `text`. Raises MetadataError, which names `place`."""
    found = _CONTROL.search(text)
    if found:
        raise MetadataError(
            f"the requirement {text!r} holds a control character", place=place, hint="take the character out"
        )
    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).split("\n")[0]
        raise MetadataError(
            f"`{text}` is not a requirement: {reason}", place=place, hint=_requirement_hint(text)
        ) from None
    if parsed.url and "://" not in parsed.url and not parsed.url.startswith("file:/"):
        raise MetadataError(
            f"`{text}` has `{parsed.url}` where a URL belongs",
            place=place,
            hint=f"write a local path as {parsed.name} @ file:///absolute/path",
        )
    return Asked(parsed, place)


def specifiers(text: str, what: str, place: str) -> SpecifierSet:
    """Return the version specifiers in `text`, which is the value of `what`. Raises MetadataError."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        hint = 'an example: ">=3.11"'
        try:
            version = Version(text)
        except InvalidVersion:
            pass
        else:
            hint = f"a bare version needs an operator: ==3.{version.release[1]}.*" if _minor(version) else hint
            if not _minor(version):
                hint = f"a bare version needs an operator: =={text}"
        raise MetadataError(f"`{what}` is `{text}`, which is not a version specifier", place=place, hint=hint) from None


def _minor(version: Version) -> bool:
    return len(version.release) == 2 and version.release[0] == 3 and str(version) == version.base_version


def _requirement_hint(text: str) -> str:
    if text.lstrip().startswith("-"):
        return "options of pip do not belong there; `scriptrun --help` lists those of scriptrun"
    if not text.strip():
        return "delete the empty entry"
    if text.startswith((".", "/", "~")) or "://" in text.partition("@")[0]:
        return "write a path or URL as NAME @ URL"
    return 'an example: "httpx>=0.27"'


class _Reader:
    """One block being read: its text, and which line each value stands on."""

    def __init__(self, block: Block, name: str, directory: str) -> None:
        self.block = block
        self.name = name
        self.directory = directory
        self.text = block.text(name)
        self.warnings: list[Warned] = []
        self.relative_paths = False

    def metadata(self) -> ScriptMetadata:
        table = self._table()
        dependencies = self._dependencies(table.get("dependencies", []))
        requires_python = self._requires_python(table.get("requires-python", ""))
        options = self._options(table.get("tool", {}))
        self._unknown_keys(table)
        return ScriptMetadata(
            dependencies,
            requires_python,
            self._place("requires-python"),
            options,
            self.relative_paths,
            tuple(self.warnings),
        )

    def _table(self) -> dict[str, Any]:
        try:
            return tomli.loads(self.text)
        except tomli.TOMLDecodeError as error:
            self._refuse_tags()
            message = re.sub(r" \(at .*\)$", "", str(error))
            raise MetadataError(
                f"the block is not valid TOML: {message}",
                place=f"{self.name}:{min(self.block.first + error.lineno, self.block.last)}",
                hint="https://toml.io describes the format"
                if "=" in self.text
                else "a block holds lines `# key = value`",
            ) from None
        except (RecursionError, ValueError) as error:
            raise MetadataError(f"the block cannot be read: {error}", place=f"{self.name}:{self.block.first}") from None

    def _refuse_tags(self) -> None:
        """Explain a block that ran on to the last `# ///` of the comment lines."""
        for number, line in enumerate(self.text.split("\n"), self.block.first + 1):
            if line == "/// script":
                raise blocks.two_blocks(self.name, self.block.first, number)
            if line == "///" or line.startswith("/// "):
                raise MetadataError(
                    f"the block goes on to the last `# ///` of these comment lines, line {self.block.last}, ",
                    place=f"{self.name}:{number}",
                    hint="leave a line without `#` after the block",
                )

    def _dependencies(self, value: object) -> tuple[Asked, ...]:
        if not isinstance(value, list):
            raise self._wrong("dependencies", f"is {_kind(value)}, not an array of strings", 'dependencies = ["httpx"]')
        asked = []
        for index, entry in enumerate(value):
            place = self._place("dependencies", index)
            if not isinstance(entry, str):
                raise MetadataError(
                    f"entry {index + 1} of `dependencies` is {_kind(entry)}, not a string",
                    place=place,
                    hint='an example: dependencies = ["httpx"]',
                )
            asked.append(requirement(entry, place))
        return tuple(asked)

    def _requires_python(self, value: object) -> SpecifierSet:
        if not isinstance(value, str):
            raise self._wrong("requires-python", f"is {_kind(value)}, not a string", 'requires-python = ">=3.11"')
        return specifiers(value, "requires-python", self._place("requires-python"))

    def _options(self, tool: object) -> Options:
        if not isinstance(tool, dict):
            raise self._wrong("tool", f"is {_kind(tool)}, not a table", "[tool.scriptrun]")
        own = tool.get("scriptrun", {})
        if not isinstance(own, dict):
            raise self._wrong("tool", f"has a `scriptrun` that is {_kind(own)}, not a table", "[tool.scriptrun]")
        known = {option.name: option for option in OPTIONS if option.everywhere}
        values = {}
        for key, value in own.items():
            if key in known:
                values[key] = self._option(known[key], value)
            else:
                self._warn_unknown(key, tuple(known), "`[tool.scriptrun]`")
        return Options(values)

    def _option(self, option: Option, value: object) -> bool | str | tuple[str, ...]:
        name = option.name
        if option.kind == FLAG:
            if not isinstance(value, bool):
                raise self._wrong(name, f"is {_kind(value)}, not true or false", f"{name} = true")
            return value
        if option.kind == LIST:
            if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
                raise self._wrong(name, f"is {_kind(value)}, not an array of strings", f'{name} = ["…"]')
            return tuple(self._path(option, entry) for entry in value)
        if not isinstance(value, str):
            raise self._wrong(name, f"is {_kind(value)}, not a string", f'{name} = "…"')
        return self._path(option, value)

    def _path(self, option: Option, value: str) -> str:
        if is_path(option, value):
            found = anchored(value, self.directory)
            self.relative_paths = self.relative_paths or found != value
            return found
        return value

    def _unknown_keys(self, table: dict[str, Any]) -> None:
        for key in table:
            if key not in _KEYS:
                self._warn_unknown(key, _KEYS, "a block")

    def _warn_unknown(self, key: str, known: tuple[str, ...], where: str) -> None:
        plain = key.replace("_", "-").lower()
        near = [name for name in known if blocks.one_edit_apart(plain, name)]
        remedy = f"did you mean `{near[0]}`?" if near else ""
        message = f"{where} has no key `{key}`; it is ignored"
        self.warnings.append(Warned(self._place(key), message, remedy, slip=bool(near)))

    def _wrong(self, key: str, message: str, example: str) -> MetadataError:
        return MetadataError(f"`{key}` {message}", place=self._place(key), hint=f"an example: {example}")

    def _place(self, key: str, index: int = -1) -> str:
        """Return `file:line` of a key, or of an entry of its array; of the block where it cannot be told."""
        quoted = re.escape(key)
        found = re.search(rf"""^[ \t]*(?:\[(?:.*\.)?)?["']?{quoted}["']?[ \t]*[].=]""", self.text, re.MULTILINE)
        if found is None:
            return f"{self.name}:{self.block.first}"
        at = found.start() + len(found.group()) - len(found.group().lstrip())
        if index >= 0:
            at = next((at for number, at in _entries(self.text, found.end()) if number == index), at)
        return f"{self.name}:{self.block.first + 1 + self.text.count(chr(10), 0, at)}"


def _entries(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield number and offset of each entry of the array that begins at `start`, in text that is valid TOML."""
    depth = number = 0
    fresh = True
    for token in _TOKEN.finditer(text, start):
        word = token.group()
        if word.isspace() or word.startswith("#"):
            continue
        if depth == 1 and word == ",":
            number += 1
            fresh = True
            continue
        if depth == 1 and fresh and word != "]":
            yield number, token.start()
            fresh = False
        depth += (word in "[{") - (word in "]}")
        if depth == 0:
            return


def _kind(value: object) -> str:
    names = {bool: "a boolean", str: "a string", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")
