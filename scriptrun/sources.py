"""Where distributions come from instead of an index: the table `sources` of `[tool.scriptrun]` and of `[tool.uv]`.

A source changes nothing but where a requirement of the block is taken from; it asks for nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scriptrun import values
from scriptrun.arguments import anchored
from scriptrun.errors import MetadataError
from scriptrun.places import Path

KINDS = {
    "path": ("editable", "package"),
    "git": ("rev", "tag", "branch", "subdirectory", "lfs"),
    "url": ("subdirectory",),
    "index": (),
}
"""The kinds of sources, each with the keys that it may have beside; `marker` may stand in all."""

_EXAMPLE = 'httpx = { path = "../httpx" }'


@dataclass(frozen=True)
class Source:
    """One source of a distribution, and where it is written (`file:line`).

    Either `url` replaces what a requirement says, which may then be `editable`, or it is to come from the index whose
    URL is `index`. It counts where its marker holds.
    """

    place: str
    url: str = ""
    editable: bool = False
    index: str = ""
    marker: Marker | None = None

    def counts(self, environment: Mapping[str, str]) -> bool:
        """Tell whether the source is for an environment, which is given as its markers see it."""
        return self.marker is None or self.marker.evaluate(dict(environment))

    def applied(self, requirement: Requirement) -> Requirement:
        """Return `requirement` as it is to be met: by the URL, whatever version that has."""
        changed = copy.copy(requirement)
        changed.url = self.url
        changed.specifier = type(requirement.specifier)()
        return changed


Sources = Mapping[str, tuple[Source, ...]]
"""The sources of each distribution, by canonical name; the first one that counts is taken."""


def read(table: object, path: Path, reader: values.Reader, indexes: Mapping[str, str]) -> Sources:
    """Return what the table of sources at `path` says; `indexes` are URLs by name. Raises MetadataError."""
    if not isinstance(table, dict):
        raise reader.wrong(path, table, "a table", f"[{'.'.join(map(str, path))}]")
    return {
        canonicalize_name(name): tuple(_entries(value, (*path, name), reader, indexes)) for name, value in table.items()
    }


def _entries(value: object, path: Path, reader: values.Reader, indexes: Mapping[str, str]) -> Iterator[Source]:
    if not isinstance(value, list):
        yield from _source(value, path, reader, indexes)
        return
    for number, entry in enumerate(value):
        yield from _source(entry, (*path, number), reader, indexes)


def _source(entry: object, path: Path, reader: values.Reader, indexes: Mapping[str, str]) -> Iterator[Source]:
    """Yield the source that an entry means: none where it is for an extra or a group, which no script has."""
    if not isinstance(entry, dict):
        raise reader.wrong(path, entry, "a table", _EXAMPLE)
    place = reader.place(*path)
    name = f"the source of `{next(part for part in reversed(path) if isinstance(part, str))}`"
    if "workspace" in entry:
        raise MetadataError(
            f"{name} is a workspace, which a script is not part of",
            place=place,
            hint='name its directory: { path = "../httpx", editable = true }',
        )
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        raise MetadataError(
            f"{name} {'is both ' + ' and '.join(kinds) if kinds else 'is neither a path nor git, a URL or an index'}",
            place=place,
            hint=f"an example: {_EXAMPLE}",
        )
    known = (kinds[0], *KINDS[kinds[0]], "marker", "extra", "group")
    for key in entry:
        if key not in known:
            raise MetadataError(
                f"{name} has a key `{key}`, which it cannot have",
                place=reader.place(*path, key),
                hint=f"beside `{kinds[0]}` there may be {', '.join(known[1:-2])}",
            )
    if not entry.keys() & {"extra", "group"}:
        yield _READERS[kinds[0]](_Entry(name, entry, path, reader, indexes))


@dataclass(frozen=True)
class _Entry:
    """One entry being read, and what it is called in messages."""

    name: str
    table: Mapping[str, object]
    path: Path
    reader: values.Reader
    indexes: Mapping[str, str]

    @property
    def place(self) -> str:
        return self.reader.place(*self.path)

    def text(self, key: str) -> str:
        """Return the value of a key, a string without control characters; `""`: it is not there."""
        if key not in self.table:
            return ""
        text = self.reader.string((*self.path, key), self.table[key], _EXAMPLE)
        values.refuse_control_characters(text, self.reader.place(*self.path, key))
        return text

    def flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise self.reader.wrong((*self.path, key), value, "true or false", f"{key} = true")
        return value

    def marker(self) -> Marker | None:
        text = self.text("marker")
        try:
            return Marker(text) if text else None
        except InvalidMarker as error:
            raise self.error(
                f"has a marker that is none: {str(error).splitlines()[0]}", "an example: sys_platform == 'linux'"
            ) from None

    def error(self, what: str, hint: str) -> MetadataError:
        return MetadataError(f"{self.name} {what}", place=self.place, hint=hint)


def _path(entry: _Entry) -> Source:
    written = entry.text("path")
    path = anchored(written, entry.reader.directory)
    entry.reader.relative_paths |= path != written
    return Source(entry.place, PurePath(path).as_uri(), editable=entry.flag("editable"), marker=entry.marker())


def _git(entry: _Entry) -> Source:
    names = [key for key in ("rev", "tag", "branch") if key in entry.table]
    if len(names) > 1:
        raise entry.error(f"has both `{names[0]}` and `{names[1]}`", "one of `rev`, `tag` and `branch` is enough")
    reference = "".join(f"@{entry.text(key)}" for key in names)
    url = f"git+{entry.text('git').removeprefix('git+')}{reference}"
    return Source(entry.place, _whole(entry, url), marker=entry.marker())


def _url(entry: _Entry) -> Source:
    return Source(entry.place, _whole(entry, entry.text("url")), marker=entry.marker())


def _whole(entry: _Entry, url: str) -> str:
    """Return a URL with the subdirectory that an entry names."""
    directory = entry.text("subdirectory")
    if directory:
        url += f"{'&' if '#' in url else '#'}subdirectory={directory}"
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", url):
        written = url.removeprefix("git+")
        raise entry.error(f"is `{written}`, which is not a URL", "examples: https://host/a.git, ssh://git@host/a.git")
    return url


def _index(entry: _Entry) -> Source:
    name = entry.text("index")
    url = name if "://" in name else entry.indexes.get(name, "")
    if not url:
        raise entry.error(
            f"is the index `{name}`, which the block does not define",
            f'write [[tool.uv.index]] with name = "{name}" and its url',
        )
    return Source(entry.place, index=url, marker=entry.marker())


_READERS = {"path": _path, "git": _git, "url": _url, "index": _index}
