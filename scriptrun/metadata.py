"""Turn the text of a `script` block into what it asks for.

Implements the specification "Inline script metadata" (packaging.python.org); requirements are PEP 508,
`requires-python` is a version specifier. Every error names the line of the script, not of the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from scriptrun import block as blocks
from scriptrun import places, quantities
from scriptrun.arguments import FLAG, LIST, OPTIONS, Option, Options, anchored, is_path
from scriptrun.block import Block
from scriptrun.errors import MetadataError

_KEYS = ("dependencies", "requires-python", "tool")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOMENT = re.compile(r"\d+ *(d|days?)?|\d{4}-\d\d-\d\d([T ].+)?")


@dataclass(frozen=True)
class Asked:
    """One requirement and where it is asked for: `file:line`, or the option's name.

    One that is `editable`, a local directory, is installed as a link to it.
    """

    requirement: Requirement
    place: str
    editable: bool = False


@dataclass(frozen=True)
class Warned:
    """A warning about the block: place (`file:line`), text, remedy, and whether it is probably a slip."""

    place: str
    message: str
    remedy: str
    slip: bool


@dataclass(frozen=True)
class ScriptMetadata:
    """What a `script` block says. `options` are those of `[tool.scriptrun]`, paths made absolute.

    `constraints` bound versions without asking for anything. `routes` pairs names of distributions with the URL of the
    index that each must come from; with `first_index`, every other comes from the first index that has it.
    """

    dependencies: tuple[Asked, ...] = ()
    requires_python: SpecifierSet = field(default_factory=SpecifierSet)
    requires_python_place: str = ""
    options: Options = field(default_factory=Options)
    relative_paths: bool = False
    constraints: tuple[Asked, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    first_index: bool = False
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
    _refuse_control_characters(text, place)
    try:
        parsed = Requirement(text)
    except RecursionError:
        raise MetadataError(
            "the marker of a requirement is nested too deeply to be read",
            place=place,
            hint="write it with fewer levels",
        ) from None
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


def _refuse_control_characters(text: str, place: str) -> None:
    if _CONTROL.search(text):
        raise MetadataError(f"`{text}` holds a control character", place=place, hint="take the character out")


def specifiers(text: str, what: str, place: str) -> SpecifierSet:
    """Return the version specifiers in `text`, which is the value of `what`. Raises MetadataError."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise MetadataError(
            f"`{what}` is `{text}`, which is not a version specifier", place=place, hint=_specifier_hint(text)
        ) from None


def _specifier_hint(text: str) -> str:
    try:
        version = Version(text)
    except InvalidVersion:
        return 'an example: ">=3.11"'
    any_patch = ".*" if len(version.release) < 3 and str(version) == version.base_version else ""
    return f"a bare version needs an operator: =={version}{any_patch}"


def _requirement_hint(text: str) -> str:
    if text.lstrip().startswith("-") or " --" in text:
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
        self.lines: dict[places.Path, int] = {}
        self.warnings: list[Warned] = []
        self.relative_paths = False

    def metadata(self) -> ScriptMetadata:
        table = self._table()
        self.lines = places.find(self.text)
        dependencies = self._dependencies(table.get("dependencies", []))
        requires_python = self._requires_python(table.get("requires-python", ""))
        options = self._options(table.get("tool", {}))
        for key in table:
            if key not in _KEYS:
                self._warn_unknown((key,), _KEYS, "a block")
        return ScriptMetadata(
            dependencies,
            requires_python,
            self._place("requires-python"),
            options,
            self.relative_paths,
            warnings=tuple(self.warnings),
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
        except RecursionError:
            raise MetadataError(
                "the block is nested too deeply to be read", place=self._place(), hint="write it with fewer levels"
            ) from None

    def _refuse_tags(self) -> None:
        """Explain a block that ran on to the last `# ///` of the comment lines."""
        lines = self.text.split("\n")
        first = self.block.first + 1
        if "/// script" in lines:
            raise blocks.two_blocks(self.name, self.block.first, first + lines.index("/// script"))
        for number, line in enumerate(lines, first):
            if line == "///" or line.startswith("/// "):
                raise MetadataError(
                    f"the block goes on to the last `# ///` of these comment lines, in line {self.block.last}, so "
                    f"`# {line}` is in the midst of it",
                    place=f"{self.name}:{number}",
                    hint="end the block with one line `# ///`, and leave a line without `#` after it",
                )

    def _dependencies(self, value: object) -> tuple[Asked, ...]:
        entries = self._strings(("dependencies",), value, 'dependencies = ["httpx"]')
        return tuple(requirement(entry, self._place("dependencies", index)) for index, entry in enumerate(entries))

    def _requires_python(self, value: object) -> SpecifierSet:
        if not isinstance(value, str):
            raise self._wrong(("requires-python",), value, "a string", 'requires-python = ">=3.11"')
        return specifiers(value, "requires-python", self._place("requires-python"))

    def _options(self, tool: object) -> Options:
        if not isinstance(tool, dict):
            raise self._wrong(("tool",), tool, "a table", "[tool.scriptrun]")
        own = tool.get("scriptrun", {})
        if not isinstance(own, dict):
            raise self._wrong(("tool", "scriptrun"), own, "a table", "[tool.scriptrun]")
        known = {option.name: option for option in OPTIONS if option.everywhere}
        values = {}
        for key, value in own.items():
            path = ("tool", "scriptrun", key)
            if key in known:
                values[key] = self._option(path, known[key], value)
            else:
                self._warn_unknown(path, tuple(known), "`[tool.scriptrun]`")
        return Options(values)

    def _option(self, path: tuple[str, ...], option: Option, value: object) -> bool | str | tuple[str, ...]:
        name = option.name
        if option.kind == FLAG:
            if not isinstance(value, bool):
                raise self._wrong(path, value, "true or false", f"{name} = true")
            return value
        if option.kind == LIST:
            entries = self._strings(path, value, f'{name} = ["{option.placeholder}"]')
            check = requirement if name == "with" else _refuse_control_characters
            for index, entry in enumerate(entries):
                check(entry, self._place(*path, index))
            return tuple(self._path(option, entry) for entry in entries)
        if not isinstance(value, str):
            raise self._wrong(path, value, "a string", f'{name} = "{option.placeholder}"')
        _refuse_control_characters(value, self._place(*path))
        if name == "exclude-newer" and not _MOMENT.fullmatch(value):
            raise MetadataError(
                f"`{'.'.join(path)}` is `{value}`, which is neither a date nor a number of days",
                place=self._place(*path),
                hint=f'an example: {name} = "2026-01-31", or {name} = "7 days"',
            )
        if name == "max-age":
            try:
                quantities.seconds(value)
            except ValueError as error:
                raise MetadataError(f"`{'.'.join(path)}`: {error}", place=self._place(*path)) from None
        return self._path(option, value)

    def _strings(self, path: tuple[str, ...], value: object, example: str) -> list[str]:
        if not isinstance(value, list):
            raise self._wrong(path, value, "an array of strings", example)
        for index, entry in enumerate(value):
            if not isinstance(entry, str):
                raise self._wrong((*path, index), entry, "a string", example)
        return value

    def _path(self, option: Option, value: str) -> str:
        if option.name == "env-file":
            return value  # read when the script runs, from its directory: the answer does not depend on that
        if is_path(option, value):
            found = anchored(value, self.directory)
            self.relative_paths = self.relative_paths or found != value
            return found
        return value

    def _warn_unknown(self, path: tuple[str, ...], known: tuple[str, ...], where: str) -> None:
        key = path[-1]
        plain = key.replace("_", "-").lower()
        near = [name for name in known if blocks.one_edit_apart(plain, name)]
        remedy = f"did you mean `{near[0]}`?" if near else ""
        message = f"{where} has no key `{key}`; it is ignored"
        self.warnings.append(Warned(self._place(*path), message, remedy, slip=bool(near)))

    def _wrong(self, path: places.Path, value: object, wanted: str, example: str) -> MetadataError:
        key = ".".join(part for part in path if isinstance(part, str))
        what = f"`{key}`" if isinstance(path[-1], str) else f"entry {path[-1] + 1} of `{key}`"
        return MetadataError(
            f"{what} is {_kind(value)}, not {wanted}", place=self._place(*path), hint=f"an example: {example}"
        )

    def _place(self, *path: str | int) -> str:
        """Return `file:line` of a key, or of an entry of its array; where there is none, of what it would be in."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines[path] + 1 if path else 0
        return f"{self.name}:{self.block.first + line}"


def _kind(value: object) -> str:
    names = {bool: "a boolean", str: "a string", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")
