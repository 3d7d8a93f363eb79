"""Turn the text of a `script` block into what it asks for.

Implements the specification "Inline script metadata" (packaging.python.org); requirements are PEP 508,
`requires-python` is a version specifier. Every error names the line of the script, not of the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from scriptrun import block as blocks
from scriptrun import desktop_table, places, uv_table, values
from scriptrun.arguments import Options
from scriptrun.block import Block
from scriptrun.desktop_table import Desktop
from scriptrun.errors import MetadataError
from scriptrun.uv_table import Meaning

if TYPE_CHECKING:
    from scriptrun.sources import Source, Sources

_KEYS = ("dependencies", "requires-python", "tool")
_OWN = ("sources", "gui", "desktop")
_OTHERS = {"hatch", "pdm", "pixi"}
"""Tables that make another environment when the runner that they are for reads them."""


class Asked(NamedTuple):
    """One requirement and where it is asked for: `file:line`, or the option's name.

    One that is `editable`, a local directory, is installed as a link to it.
    """

    requirement: Requirement
    place: str
    editable: bool = False


class Warned(NamedTuple):
    """A warning about the block: place (`file:line`), text, remedy, and whether it is probably a slip."""

    place: str
    message: str
    remedy: str
    slip: bool


class ScriptMetadata(NamedTuple):
    """What a `script` block says. `options` are those of its tables, paths made absolute.

    `constraints` bound versions without asking for anything. `routes` pairs names of distributions with the URL of the
    index that each must come from, and `route_places` with where that stands; with `first_index`, every other comes
    from the first index that has it. `sources`
    are what `for_environment` makes routes and other dependencies of those that are `declared`. `lock` is the digest
    of the lock that is inside the script (`""`: none is). `desktop` says how it shows on a desktop.
    """

    dependencies: tuple[Asked, ...] = ()
    requires_python: SpecifierSet = SpecifierSet()
    requires_python_place: str = ""
    options: Options = Options()
    relative_paths: bool = False
    constraints: tuple[Asked, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    route_places: Mapping[str, str] = MappingProxyType({})
    first_index: bool = False
    sources: Sources = MappingProxyType({})
    lock: str = ""
    declared: tuple[Asked, ...] = ()
    desktop: Desktop = Desktop()
    warnings: tuple[Warned, ...] = ()

    def for_environment(self, markers: Mapping[str, str]) -> ScriptMetadata:
        """Return what it says for a Python that markers see so: with the sources that count there put to use."""
        dependencies = []
        routes, places = list(self.routes), dict(self.route_places)
        for asked in self.dependencies:
            name = canonicalize_name(asked.requirement.name)
            source = next((one for one in self.sources.get(name, ()) if one.counts(markers)), None)
            if source is not None and source.index:
                routes.append((name, source.index))
                places[name] = source.place
            dependencies.append(_taken_from(source, asked))
        return self._replace(dependencies=tuple(dependencies), routes=tuple(sorted(set(routes))), route_places=places)


def _taken_from(source: Source | None, asked: Asked) -> Asked:
    """Return what is asked for as it is to be met where `source` counts."""
    if source is None or not source.url:
        return asked
    return Asked(source.applied(asked.requirement), source.place, source.editable)


def parse(block: Block | None, name: str, directory: str) -> ScriptMetadata:
    """Return what `block` of the file `name` says; relative paths in it start at `directory`.

    Raises MetadataError.
    """
    if block is None:
        return ScriptMetadata()
    return Reader(block, name, directory).metadata()


def requirement(text: str, place: str) -> Asked:
    """Return the PEP 508 requirement in `text`. Raises MetadataError, which names `place`."""
    values.refuse_control_characters(text, place)
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
    if parsed.url:  # a scheme in capitals is none to pip
        parsed.url = re.sub(r"^[A-Za-z][\w+.-]*:", lambda found: found[0].lower(), parsed.url)
    if parsed.url and "://" not in parsed.url and not parsed.url.startswith("file:/"):
        raise MetadataError(
            f"`{text}` has `{parsed.url}` where a URL belongs",
            place=place,
            hint=f"write a local path as {parsed.name} @ file:///absolute/path",
        )
    return Asked(parsed, place)


def _constraint(text: str, place: str) -> Asked:
    """Return the constraint in `text`: extras, with which pip knows none, make no difference to it."""
    asked = requirement(text, place)
    asked.requirement.extras = set()
    return asked


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


class Reader:
    """One block being read: its text, and which line each value stands on. `check` has one that does not stop."""

    def __init__(self, block: Block, name: str, directory: str) -> None:
        self.block = block
        self.name = name
        self.directory = directory
        self.text = block.text(name)
        self.lines: dict[places.Path, int] = {}
        # Files of variables are read when the script runs: the answer does not depend on its directory.
        self.values = values.Reader(self._place, directory, requirement, left=("env-file",))
        self.warnings: list[Warned] = []
        self.lock = ""

    def metadata(self) -> ScriptMetadata:
        """Return what the block says. Raises MetadataError."""
        table = self._table()
        self.lines = places.find(self.text)
        dependencies = self._dependencies(table.get("dependencies", []))
        requires_python = self._requires_python(table.get("requires-python", ""))
        tool = table.get("tool", {})
        if not isinstance(tool, dict):
            raise self.values.wrong(("tool",), tool, "a table", "[tool.scriptrun]")
        for name in sorted(_OTHERS & tool.keys()):
            self._warn(("tool", name), f"`[tool.{name}]` is for another runner; it is ignored", ())
        uv = self._uv(tool)
        own = self._own(tool)
        options = self._options(own).below(Options(uv.options, self.values.places))
        origins = {**self._sources("uv", uv.sources, uv), **self._sources("scriptrun", own.get("sources"), uv)}
        for key in table:
            if key not in _KEYS:
                self._warn_unknown((key,), _KEYS, "a block")
        return ScriptMetadata(
            dependencies,
            requires_python,
            self._place("requires-python"),
            options,
            self.values.relative_paths,
            constraints=tuple(_constraint(text, place) for text, place in uv.constraints),
            first_index=uv.first_index,
            sources=origins,
            lock=self.lock,
            declared=dependencies,
            desktop=self._desktop(own),
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
        entries = self.values.strings(("dependencies",), value, 'dependencies = ["httpx"]')
        return tuple(requirement(entry, self._place("dependencies", index)) for index, entry in enumerate(entries))

    def _requires_python(self, value: object) -> SpecifierSet:
        text = self.values.string(("requires-python",), value, 'requires-python = ">=3.11"')
        return specifiers(text, "requires-python", self._place("requires-python"))

    def _uv(self, tool: dict[str, Any]) -> Meaning:
        meaning = uv_table.read(tool.get("uv", {}), self.values)
        for path, message in meaning.warnings:
            self._warn(path, message, tuple(uv_table.HONOURED))
        return meaning

    def _own(self, tool: dict[str, Any]) -> dict[str, Any]:
        own = tool.get("scriptrun", {})
        if not isinstance(own, dict):
            raise self.values.wrong(("tool", "scriptrun"), own, "a table", "[tool.scriptrun]")
        return own

    def _options(self, own: dict[str, Any]) -> Options:
        found = {}
        for key, value in own.items():
            path = ("tool", "scriptrun", key)
            if key in values.KNOWN:
                found[key] = self.values.option(path, values.KNOWN[key], value)
            elif key == "lock":
                self.lock = self._lock(path, value)
            elif key not in _OWN:
                self._warn_unknown(path, (*values.KNOWN, *_OWN), "`[tool.scriptrun]`")
        return Options(found, self.values.places)

    def _desktop(self, own: dict[str, Any]) -> Desktop:
        table = own.get("desktop")
        found = desktop_table.read(table, own.get("gui"), self.directory, self.values)
        for key in () if table is None else table:
            if key not in desktop_table.KEYS:
                path = (*desktop_table.TABLE, key)
                self._warn_unknown(path, desktop_table.KEYS, "`[tool.scriptrun.desktop]`")
        return found

    def _lock(self, path: tuple[str, ...], value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
            raise MetadataError(
                f"`{'.'.join(path)}` is not the digest of a lock",
                place=self._place(*path),
                hint=f"take the line out, and have it written: scriptrun lock --embed {self.name}",
            )
        return value

    def _sources(self, table: str, value: object, uv: Meaning) -> Sources:
        if value is None:
            return {}
        from scriptrun import sources  # rare

        return sources.read(value, ("tool", table, "sources"), self.values, uv.indexes)

    def _warn_unknown(self, path: places.Path, known: tuple[str, ...], where: str) -> None:
        self._warn(path, f"{where} has no key `{path[-1]}`; it is ignored", known)

    def _warn(self, path: places.Path, message: str, known: tuple[str, ...]) -> None:
        """Warn of a key that does nothing; where it is nearly one that is known it is a slip."""
        plain = str(path[-1]).replace("_", "-").lower()
        near = [name for name in known if name != path[-1] and blocks.one_edit_apart(plain, name)]
        remedy = f"did you mean `{near[0]}`?" if near else ""
        self.warnings.append(Warned(self._place(*path), message, remedy, slip=bool(near)))

    def _place(self, *path: str | int) -> str:
        """Return `file:line` of a key, or of an entry of its array; where there is none, of what it would be in."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines[path] + 1 if path else 0
        return f"{self.name}:{self.block.first + line}"
