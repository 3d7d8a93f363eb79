"""What environments hold together: their own files, and distributions in the store, most of which several hold.

What has left the store is still shared by those that held it.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping

from scriptrun.extent import Extent
from scriptrun.upkeep.inventory import Entry


class Holdings:
    """The environments that stay, and how many of them hold each of the distributions that there are."""

    def __init__(self, entries: Iterable[Entry], distributions: Mapping[str, Extent]) -> None:
        entries = tuple(entries)
        self._distributions = distributions
        self._holders = collections.Counter(name for entry in entries for name in self._held(entry))
        self._sharers = collections.Counter(number for entry in entries for number in entry.loose)
        loose = {number: one for entry in entries for number, one in entry.loose.items()}
        self.size = sum(entry.extent.size - entry.extent.linked for entry in entries)
        self.size += sum(one.size for one in loose.values())
        self.taken = sum(entry.extent.freed for entry in entries) + self._room(self._holders)
        self.taken += sum(one.taken for one in loose.values())

    @property
    def held(self) -> set[str]:
        """The names of the distributions that somebody holds."""
        return {name for name, holders in self._holders.items() if holders}

    def freed(self, entry: Entry) -> int:
        """Return what removing an environment gives back: its own files, and the distributions that only it holds."""
        loose = sum(one.taken for number, one in entry.loose.items() if self._sharers[number] == 1)
        return entry.extent.freed + loose + self._room(name for name in self._held(entry) if self._holders[name] == 1)

    def release(self, entry: Entry) -> int:
        """Take an environment away, and return what that gives back."""
        freed = self.freed(entry)
        self._holders.subtract(self._held(entry))
        self._sharers.subtract(list(entry.loose))
        self.taken -= freed
        return freed

    def _held(self, entry: Entry) -> Iterable[str]:
        return (name for name in entry.kept if name in self._distributions)

    def _room(self, names: Iterable[str]) -> int:
        return sum(self._distributions[name].taken for name in names)
