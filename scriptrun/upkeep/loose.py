"""Find what environments share with one another and not with the store, because it has left that since.

There hardly ever is any: after a repair, or where the store was lost. So only those environments are looked at that
hold what is not there, or came there when they were complete; and what was found is written down.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scriptrun import extent, paths
from scriptrun.extent import Shared
from scriptrun.upkeep import extents

_Files = dict[int, Shared]


@dataclass(frozen=True)
class Suspect:
    """An environment that may have such files: its path, its last use, and which distributions are the reason."""

    path: str
    changed: float
    lost: tuple[str, ...]


@dataclass(frozen=True)
class _Note:
    moment: float
    lost: tuple[str, ...]
    files: _Files


def measure(cache: str, suspects: Mapping[str, Suspect], distributions: Iterable[str]) -> dict[str, _Files]:
    """Return the files of each suspect, by number, whose names are all in these environments, and none in the store.

    `distributions` are the directories of those in the store.
    """
    path = os.path.join(paths.extents(cache), "loose")
    known = _read(path) if suspects or os.path.lexists(path) else {}
    usable = known if known.keys() <= suspects.keys() else {}  # what one shared that has gone has fewer names now
    notes = {name: usable[name] for name, one in suspects.items() if name in usable and _holds(usable[name], one)}
    if notes.keys() != suspects.keys():
        kept = {number for directory in distributions for number in extent.shared(directory)}
        for name in suspects.keys() - notes.keys():
            notes[name] = _look(suspects[name], kept)
    if notes != known:
        text = json.dumps({name: (note.moment, note.lost, note.files) for name, note in notes.items()})
        with contextlib.suppress(OSError):  # a cache that is read-only, or somebody else's
            paths.replace(path, text.encode("ascii"))
    return _whole({name: notes[name].files for name in suspects})


def _holds(note: _Note, suspect: Suspect) -> bool:
    return note.lost == suspect.lost and suspect.changed + extents.SETTLED <= note.moment <= time.time()


def _look(suspect: Suspect, kept: set[int]) -> _Note:
    moment = time.time()
    files = {number: one for number, one in extent.shared(suspect.path).items() if number not in kept}
    return _Note(moment, suspect.lost, files)


def _whole(found: Mapping[str, _Files]) -> dict[str, _Files]:
    """Leave out files that have a name elsewhere too: they stay whatever is removed here."""
    names = collections.Counter[int]()
    for files in found.values():
        names.update({number: one.names for number, one in files.items()})
    return {
        name: {number: one for number, one in files.items() if names[number] >= one.links}
        for name, files in found.items()
    }


def _read(path: str) -> dict[str, _Note]:
    """Return what was written down; what cannot be read is measured again."""
    try:
        return {name: _note(*note) for name, note in json.loads(paths.read(path)).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _note(moment: Any, lost: Any, files: Any) -> _Note:
    found = {int(number): Shared(*(int(amount) for amount in one)) for number, one in files.items()}
    return _Note(float(moment), tuple(lost), found)
