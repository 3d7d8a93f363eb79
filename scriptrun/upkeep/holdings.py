"""What environments hold together: their own files, and distributions in the store, most of which several hold."""

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
        self.taken = sum(entry.extent.freed for entry in entries) + self._room(self._holders)

    @property
    def held(self) -> set[str]:
        """The names of the distributions that somebody holds."""
        return {name for name, holders in self._holders.items() if holders}

    def freed(self, entry: Entry) -> int:
        """Return what removing an environment gives back: its own files, and the distributions that only it holds."""
        return entry.extent.freed + self._room(name for name in self._held(entry) if self._holders[name] == 1)

    def release(self, entry: Entry) -> int:
        """Take an environment away, and return what that gives back."""
        freed = self.freed(entry)
        self._holders.subtract(self._held(entry))
        self.taken -= freed
        return freed

    def _held(self, entry: Entry) -> Iterable[str]:
        return (name for name in entry.kept if name in self._distributions)

    def _room(self, names: Iterable[str]) -> int:
        return sum(self._distributions[name].taken for name in names)
