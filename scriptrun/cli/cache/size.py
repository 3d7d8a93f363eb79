"""`scriptrun cache size`: how much room the environments take, and how much removing them all would give back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scriptrun import location, output
from scriptrun.arguments import Invocation
from scriptrun.quantities import shown_octets
from scriptrun.upkeep import inventory


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print number and bytes, as a line or with `--json` as an object. Raises CacheError."""
    entries = [entry for entry in inventory.entries(location.open_cache(environ)[0]) if entry.complete]
    facts = {
        "environments": len(entries),
        "size": sum(entry.size for entry in entries),
        "freed": sum(entry.freed for entry in entries),
    }
    if "--json" in invocation.extra:
        output.give(json.dumps(facts, indent=2) + "\n")
    else:
        noun = "environment" if len(entries) == 1 else "environments"
        size, freed = shown_octets(facts["size"]), shown_octets(facts["freed"])
        output.give(f"{len(entries)} {noun}, {size}; to remove all would free {freed}\n")
    return 0
