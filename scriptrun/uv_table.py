"""Read `[tool.uv]` of a block, which scripts written for uv have, as what `[tool.scriptrun]` can say.

The meaning of the keys is that of uv's reference of settings. What pip can do the same is honoured; what would make
another environment is refused; of all else there is a warning, by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from scriptrun import values
from scriptrun.arguments import anchored
from scriptrun.errors import MetadataError
from scriptrun.places import Path

if TYPE_CHECKING:
    from scriptrun.arguments import Value

TABLE: Path = ("tool", "uv")

REFUSED = {
    "override-dependencies": "bound what you ask for in `dependencies` or in `constraint-dependencies` instead",
    "exclude-dependencies": "ask for something that does not need them instead",
}
"""The keys that would make another environment if they were left out of account, and what to do."""

_INDEX_EXAMPLE = '[[tool.uv.index]] with url = "https://index.example/simple"'
_INDEX_KEYS = ("name", "url", "default", "explicit", "format")


class Meaning:
    """What the table says.

    `options` are those of `[tool.scriptrun]`, and `only-final`; `constraints` pair requirements with their places;
    `indexes` are URLs by name. With `first_index`, each distribution comes from the first index that has it.
    `warnings` pair paths of keys with texts.
    """

    def __init__(self) -> None:
        self.options: dict[str, Value] = {}
        self.constraints: list[tuple[str, str]] = []
        self.indexes: dict[str, str] = {}
        self.sources: object = None
        self.first_index = False
        self.warnings: list[tuple[Path, str]] = []


def read(table: object, reader: values.Reader) -> Meaning:
    """Return what the table `[tool.uv]` says. Raises MetadataError for what is not valid, and for what is refused."""
    if not isinstance(table, dict):
        raise reader.wrong(TABLE, table, "a table", "[tool.uv]")
    found = _Table(reader)
    for key, value in table.items():
        if key in HONOURED:
            HONOURED[key](found, (*TABLE, key), value)
        elif key not in REFUSED:
            found.ignore((*TABLE, key), f"`{key}` of `[tool.uv]`")
        elif value:
            raise MetadataError(
                f"`{key}` of `[tool.uv]` is not supported: pip would install something else",
                place=reader.place(*TABLE, key),
                hint=REFUSED[key],
            )
    return found.meaning()


class _Table:
    """The table being read: what it says so far, and its indexes in their order."""

    def __init__(self, reader: values.Reader) -> None:
        self.reader = reader
        self.found = Meaning()
        self.first: list[str] = []  # the indexes of `index`
        self.extra: list[str] = []  # those of `extra-index-url`
        self.default = ""  # the default one of `index`
        self.index_url = ""
        self.links: list[str] = []
        self.mixed = False
        self.without_sources = False

    def meaning(self) -> Meaning:
        """Return what was read, the indexes in uv's order: those of `index`, the extra ones, and the default last."""
        found, extra = self.found, (*self.first, *self.extra)
        if extra:
            found.options["extra-index-url"] = extra
        if self.default or self.index_url:
            found.options["index-url"] = self.default or self.index_url
        if self.links:
            found.options["find-links"] = tuple(self.links)
        found.first_index = bool(extra or self.default or self.index_url) and not self.mixed
        if self.without_sources:
            found.sources = None
        return found

    def ignore(self, path: Path, what: str) -> None:
        self.found.warnings.append((path, f"{what} is not supported; it is ignored"))

    def option(self, path: Path, value: object) -> None:
        """Take what `[tool.scriptrun]` has by the same name, in the same form."""
        name = str(path[-1])
        self.found.options[name] = self.reader.option(path, values.KNOWN[name], value)

    def exclude_newer(self, path: Path, value: object) -> None:
        """Take a moment; a date means the end of the day here, and its beginning for pip."""
        if value is False:
            return
        self.option(path, value)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            import datetime as dt  # rare

            end = dt.date.fromisoformat(str(value)) + dt.timedelta(days=1)
            self.found.options["exclude-newer"] = end.isoformat()

    def default_index(self, path: Path, value: object) -> None:
        self.index_url = self.url(path, value)
        self.note("index-url", self.index_url, path)

    def note(self, option: str, url: str, path: Path) -> None:
        """Note where a URL stands that becomes a value, or an entry, of an option."""
        self.reader.places[f"{option} {url}"] = self.reader.place(*path)

    def extra_index_url(self, path: Path, value: object) -> None:
        entries = self.reader.strings(path, value, 'extra-index-url = ["https://index.example/simple"]')
        for number, entry in enumerate(entries):
            self.extra.append(self.url((*path, number), entry))
            self.note("extra-index-url", self.extra[-1], (*path, number))

    def find_links(self, path: Path, value: object) -> None:
        links = self.reader.option(path, values.KNOWN["find-links"], value)
        self.links += links if isinstance(links, tuple) else ()

    def index(self, path: Path, value: object) -> None:
        if not isinstance(value, list):
            raise self.reader.wrong(path, value, "an array of tables", _INDEX_EXAMPLE)
        for number, entry in enumerate(value):
            self.one_index((*path, number), entry)

    def one_index(self, path: Path, entry: object) -> None:
        if not isinstance(entry, dict):
            raise self.reader.wrong(path, entry, "a table", _INDEX_EXAMPLE)
        if "url" not in entry:
            place = self.reader.place(*path)
            raise MetadataError("an index has no `url`", place=place, hint=f"an example: {_INDEX_EXAMPLE}")
        for key in entry:
            if key not in _INDEX_KEYS:
                self.ignore((*path, key), f"`{key}` of an index")
        url = self.url((*path, "url"), entry["url"])
        name = self.reader.string((*path, "name"), entry.get("name", ""), 'name = "internal"')
        default, explicit = (self.flag((*path, key), entry.get(key, False)) for key in ("default", "explicit"))
        flat = self.one_of((*path, "format"), entry.get("format", "simple"), ("simple", "flat")) == "flat"
        if default and (explicit or flat):
            raise MetadataError(
                f"an index cannot be both `default` and {'`explicit`' if explicit else 'flat'} here",
                place=self.reader.place(*path),
                hint="leave `default` out, and write no-index = true if no other index is to be asked",
            )
        if name:
            self.found.indexes.setdefault(name, f"{FLAT}{url}" if flat else url)
        option, urls = ("find-links", self.links) if flat else ("extra-index-url", self.first)
        if default:
            self.default = self.default or url
            self.note("index-url", url, (*path, "url"))
        elif not explicit:
            urls.append(url)
            self.note(option, url, (*path, "url"))

    def url(self, path: Path, value: object) -> str:
        """Return the URL of an index; a path is one of a directory, and starts at the script's."""
        text = self.reader.string(path, value, 'url = "https://index.example/simple"')
        values.refuse_control_characters(text, self.reader.place(*path))
        if "://" in text:
            return text
        place = anchored(text, self.reader.directory)
        self.reader.relative_paths |= place != text
        from pathlib import PurePath  # rare

        return PurePath(place).as_uri()

    def constraints(self, path: Path, value: object) -> None:
        entries = self.reader.strings(path, value, 'constraint-dependencies = ["idna<4"]')
        self.found.constraints += [(text, self.reader.place(*path, number)) for number, text in enumerate(entries)]

    def prerelease(self, path: Path, value: object) -> None:
        """Take a strategy: pip's own is uv's, to take a pre-release where nothing else fits."""
        known = ("if-necessary", "if-necessary-or-explicit", "allow", "disallow", "explicit")
        strategy = self.one_of(path, value, known)
        if strategy == "allow":
            self.found.options["pre"] = True
        elif strategy == "disallow":
            self.found.options["only-final"] = True
        elif strategy == "explicit":
            self.ignore(path, '`prerelease = "explicit"` of `[tool.uv]`')

    def resolution(self, path: Path, value: object) -> None:
        if self.one_of(path, value, ("highest", "lowest", "lowest-direct")) != "highest":
            self.ignore(path, f'`resolution = "{value}"` of `[tool.uv]`')

    def index_strategy(self, path: Path, value: object) -> None:
        known = ("first-index", "unsafe-first-match", "unsafe-best-match")
        strategy = self.one_of(path, value, known)
        self.mixed = strategy == "unsafe-best-match"
        if strategy == "unsafe-first-match":
            self.ignore(path, f'`index-strategy = "{strategy}"` of `[tool.uv]`')

    def no_binary(self, path: Path, value: object) -> None:
        if self.flag(path, value):
            self.found.options["no-binary"] = (":all:",)

    def no_binary_package(self, path: Path, value: object) -> None:
        names = self.reader.strings(path, value, 'no-binary-package = ["numpy"]')
        self.found.options.setdefault("no-binary", tuple(names))

    def sources(self, _path: Path, value: object) -> None:
        self.found.sources = value

    def no_sources(self, path: Path, value: object) -> None:
        self.without_sources = self.flag(path, value)

    def flag(self, path: Path, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.reader.wrong(path, value, "true or false", f"{path[-1]} = true")
        return value

    def one_of(self, path: Path, value: object, known: tuple[str, ...]) -> str:
        text = self.reader.string(path, value, f'{path[-1]} = "{known[0]}"')
        if text not in known:
            raise MetadataError(
                f"`{path[-1]}` of `[tool.uv]` is `{text}`, which is none of {', '.join(known)}",
                place=self.reader.place(*path),
            )
        return text


FLAT = "flat+"
"""Before the URL of an index that is one page of links, or one directory of files."""

HONOURED: dict[str, Callable[[_Table, Path, object], None]] = {
    "constraint-dependencies": _Table.constraints,
    "exclude-newer": _Table.exclude_newer,
    "extra-index-url": _Table.extra_index_url,
    "find-links": _Table.find_links,
    "index": _Table.index,
    "index-strategy": _Table.index_strategy,
    "index-url": _Table.default_index,
    "no-binary": _Table.no_binary,
    "no-binary-package": _Table.no_binary_package,
    "no-build": _Table.option,
    "no-index": _Table.option,
    "no-sources": _Table.no_sources,
    "prerelease": _Table.prerelease,
    "resolution": _Table.resolution,
    "sources": _Table.sources,
}
"""The keys that are honoured, each with what reads it; docs/uv.md says how."""
