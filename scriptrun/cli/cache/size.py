"""`scriptrun cache size`: how much room the cache takes, and how much removing all environments would give back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from scriptrun import extent, location, output, paths
from scriptrun.arguments import Invocation
from scriptrun.quantities import shown_octets
from scriptrun.upkeep import inventory
from scriptrun.upkeep.holdings import Holdings


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print numbers and bytes, as two lines or with `--json` as an object. Raises CacheError."""
    facts = _measure(location.open_cache(environ)[0])
    output.give(json.dumps(facts, indent=2) + "\n" if "--json" in invocation.extra else _told(facts))
    return 0


def _measure(cache: str) -> dict[str, Any]:
    """Return what `size --json` prints.

    `environments` and `distributions` (how many there are, the latter in the store), `size` (bytes that their files
    hold, each counted once), `freed` (bytes that removing all of them gives back), `room` (bytes on disk, of the
    environments' own files, of the store, and of all else in the cache).
    """
    entries, kept = inventory.entries(cache), inventory.distributions(cache)
    apart = Holdings(entries, {})
    store = sum(one.taken for one in kept.values())
    return {
        "environments": sum(entry.complete for entry in entries),
        "distributions": len(kept),
        "size": apart.size + sum(one.size for one in kept.values()),
        "freed": apart.taken + store,
        "room": {"environments": apart.taken, "store": store, "other": _other(cache)},
    }


def _other(cache: str) -> int:
    """Return the room on disk of what is neither an environment nor in the store."""
    layout = os.path.join(cache, paths.LAYOUT)
    inside = [os.path.join(directory, name) for directory in (cache, layout) for name in _names(directory)]
    apart = (layout, paths.all_environments(cache), paths.store(cache))
    return sum(extent.measure(path).taken for path in inside if path not in apart)


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _told(facts: Mapping[str, Any]) -> str:
    counted = [
        f"{facts[f'{noun}s']} {noun}{'' if facts[f'{noun}s'] == 1 else 's'}" for noun in ("environment", "distribution")
    ]
    room = ", ".join(f"{shown_octets(taken)} {what}" for what, taken in facts["room"].items())
    total = (
        f"{', '.join(counted)}, {shown_octets(facts['size'])}; to remove all would free {shown_octets(facts['freed'])}"
    )
    return f"{total}\non disk: {room}\n"
