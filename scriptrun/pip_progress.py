"""What pip is doing, read from the lines that it writes, and said in words for people who know nothing of pip.

Held by tests against the lines of old and new pips.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scriptrun import quantities

FINDING, DOWNLOADING, BUILDING, INSTALLING = "finding", "downloading", "building", "installing"

_SHOWN_NAMES = 3

_UNITS = {"bytes": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3}


@dataclass(frozen=True)
class Event:
    """What pip does now, with which distributions; of a download also its size, and how much has come, in bytes.

    Before anything is said of that, both are 0.
    """

    doing: str
    names: tuple[str, ...]
    size: int = 0
    received: int = 0

    @property
    def words(self) -> str:
        """All of it in a line, with the first names where they are many."""
        more = len(self.names) - _SHOWN_NAMES
        names = ", ".join(self.names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
        if self.doing == FINDING:
            return f"finding out what is needed: {names}"
        size = quantities.shown_octets(self.size)
        if self.received:
            size = f"{quantities.shown_octets(self.received)} of {size}"
        return f"{self.doing} {names}" + (f" ({size})" if self.size else "")


class Reader:
    """Reads pip's lines one after the other: some are about what one before has named."""

    def __init__(self) -> None:
        self._found = ""
        self._download = Event(DOWNLOADING, ())

    def read(self, line: str) -> Event | None:
        """Return what pip says in a line that it does, None where it says nothing of that."""
        for pattern, doing in _LINES:
            found = re.match(pattern, line.strip())
            if found:
                return self._event(doing, found.groupdict())
        return None

    def _event(self, doing: str, said: Mapping[str, str | None]) -> Event | None:
        what = said.get("what") or ""
        if doing == DOWNLOADING:
            return self._downloading(what, said)
        if doing == FINDING:
            self._found = _name(what)
            return Event(doing, (self._found,))
        names = tuple(what.split(", ")) if doing == INSTALLING else (what or self._found,)
        return Event(doing, names) if names[0] else None

    def _downloading(self, what: str, said: Mapping[str, str | None]) -> Event | None:
        """Return how far a download is, None for one that is a part of finding out."""
        if what:
            metadata = what.endswith(".metadata")
            self._download = Event(DOWNLOADING, () if metadata else (_name(what),), _octets(said))
        else:
            self._download = replace(self._download, size=int(said["size"] or 0), received=int(said["received"] or 0))
        return self._download if self._download.names else None


def is_count(line: str) -> bool:
    """Tell whether a line of pip's says nothing but how much of a download has come."""
    return bool(re.match(_COUNT, line.strip()))


def _name(what: str) -> str:
    """Return what a requirement, a file, a directory or a URL is called, with the version where it is known."""
    last = re.split(r"[#?]", what)[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
    archive = re.match(r"([^-]+)-([^-]+)(?:-.*\.whl|\.tar\.gz|\.zip)$", last) or re.match(
        r"(.+)-(\d.*)\.tar\.gz$", last
    )
    if archive:
        return f"{archive[1].replace('_', '-')} {archive[2]}"
    return re.split(r"[\[<>=!~;@]", last)[0] or last


def _octets(said: Mapping[str, str | None]) -> int:
    """Return the bytes of a download that pip has announced, 0 where it has not said so."""
    return round(float(said["number"] or 0) * _UNITS.get(said["unit"] or "", 0))


_COUNT = r"Progress (?P<received>\d{1,18}) of (?P<size>\d{1,18})$"

_LINES = (
    (_COUNT, DOWNLOADING),
    (
        r"(?:Downloading|Resuming download|Cloning) (?P<what>\S+)"
        r"(?:.* \((?:\S+ \w+/)?(?P<number>\d+(?:\.\d+)?) (?P<unit>\w+)\)$)?",
        DOWNLOADING,
    ),
    (r"(?:Collecting|Processing|Obtaining) (?!dependency information)(?P<what>\S+)", FINDING),
    (r"(?:Building (?:wheel|editable)|Running setup\.py install) for (?P<what>\S+).*: started$", BUILDING),
    (
        r"(?:Installing build dependencies|Getting requirements to build|Preparing (?:editable )?metadata).*: started$",
        BUILDING,
    ),
    (r"Installing collected packages: (?P<what>.+)", INSTALLING),
)
"""The lines in which pip says what it does; all others say how that ended, or warn."""
