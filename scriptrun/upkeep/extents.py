"""Measure what is in a cache, and write it down: what was not used since need not be measured again.

The byte code of what a script imports appears after the environment is complete, so its builder cannot tell the size.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from scriptrun import extent, paths
from scriptrun.extent import Extent

ENVIRONMENTS = "envs"
DISTRIBUTIONS = "store"

SETTLED = 60.0
"""For how many seconds after its last use an environment is measured anew: its script may be importing."""

_Note = tuple[float, Extent]


@dataclass(frozen=True)
class Place:
    """A directory that is to be measured, and when it was changed last, in seconds since the epoch."""

    path: str
    changed: float = -SETTLED


def measure(cache: str, kind: str, places: Mapping[str, Place]) -> dict[str, Extent]:
    """Return the extents of directories by name, all of that kind, measured now where they changed since they were."""
    path = os.path.join(paths.extents(cache), kind)
    known = _read(path)
    notes = {name: _measure(place, known.get(name)) for name, place in places.items()}
    if notes != known:
        with contextlib.suppress(OSError):  # a cache that is read-only, or somebody else's
            _write(path, notes)
    return {name: found for name, (_, found) in notes.items()}


def forget(cache: str, kind: str, names: Collection[str]) -> None:
    """Let directories be measured anew, whatever changed in them. What cannot be written stays."""
    path = os.path.join(paths.extents(cache), kind)
    notes = {name: note for name, note in _read(path).items() if name not in names}
    with contextlib.suppress(OSError):
        _write(path, notes)


def _write(path: str, notes: Mapping[str, _Note]) -> None:
    text = json.dumps({name: (moment, *found) for name, (moment, found) in notes.items()})
    paths.replace(path, text.encode("ascii"))


def _measure(place: Place, known: _Note | None) -> _Note:
    now = time.time()
    if known is not None and place.changed + SETTLED <= known[0] <= now:
        return known
    return now, extent.measure(place.path)


def _read(path: str) -> dict[str, _Note]:
    """Return what was written down, so far as it can be: anything else is measured again."""
    try:
        content = json.loads(paths.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: (note[0], Extent(*note[1:])) for name, note in content.items() if _is_note(note)}


def _is_note(value: object) -> TypeGuard[list[int]]:
    """Tell whether a JSON value is a time and amounts of bytes that a disk can hold."""
    if not isinstance(value, list) or len(value) != 1 + len(Extent()):
        return False
    return type(value[0]) is float and all(type(one) is int and 0 <= one < 1 << 63 for one in value[1:])
