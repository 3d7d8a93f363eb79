"""`scriptrun cache list`: the environments, what they are for, and when they were used last."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from scriptrun import location, output
from scriptrun.arguments import Invocation
from scriptrun.cli import table
from scriptrun.errors import UsageError, without_credentials
from scriptrun.quantities import shown_octets
from scriptrun.upkeep import inventory, usage
from scriptrun.upkeep.holdings import Holdings
from scriptrun.upkeep.inventory import Entry

Facts = dict[str, Any]

HEADINGS = ("key", "size", "freed", "last used", "created", "python", "state", "requirements", "scripts")
_FLEXIBLE = (7, 8)
_SPARE = (2, 4, 5, 1, 3)


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print all environments, as a table or with `--json` as an array. Raises UsageError and CacheError."""
    order = invocation.extra.get("--sort", "used")
    if order not in _ORDERS:
        raise UsageError(f"the environments cannot be sorted by `{order}`", hint=f"one of: {', '.join(_ORDERS)}")
    cache = location.open_cache(environ)[0]
    entries = [entry for entry in inventory.entries(cache) if entry.complete]
    holdings = Holdings(entries, inventory.distributions(cache))
    running = usage.in_use(entry.path for entry in entries)
    facts = [describe(entry, holdings.freed(entry), entry.path in running) for entry in entries]
    facts.sort(key=_ORDERS[order], reverse=order != "key")
    if "--json" in invocation.extra:
        output.give(json.dumps(facts, indent=2) + "\n")
    else:
        output.give(table.lay_out(HEADINGS, [_row(one) for one in facts], _FLEXIBLE, _SPARE))
    return 0


def describe(entry: Entry, freed: int, in_use: bool) -> Facts:  # noqa: FBT001 - one of the facts
    """Return what `list --json` prints of an environment.

    `key`, `path`, `size` and `freed` (bytes; what its files hold, those that others share too, and what removing it
    gives back, with the distributions in the store that it alone holds), `last_used` and `created` (ISO 8601, UTC),
    `python` (version), `requirements` (canonical, sorted), `scripts` (absolute paths), `in_use`, `current` (false where
    a newer one took its place). `created` and `python` are null where the manifest cannot be read.
    """
    manifest = entry.manifest or {"created": None, "asked": {"interpreter": {"version": None}, "requirements": []}}
    asked = manifest["asked"]
    return {
        "key": entry.key,
        "path": entry.path,
        "size": entry.extent.size,
        "freed": freed,
        "last_used": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.last_used)),
        "created": manifest["created"],
        "python": asked["interpreter"]["version"],
        "requirements": [without_credentials(text) for text in asked["requirements"]],
        "scripts": list(entry.scripts),
        "in_use": in_use,
        "current": entry.current,
    }


def _version(facts: Facts) -> Version:
    try:
        return Version(facts["python"] or "0")
    except InvalidVersion:
        return Version("0")


_ORDERS: dict[str, Callable[[Facts], Any]] = {
    "used": lambda facts: facts["last_used"],
    "size": lambda facts: facts["size"],
    "created": lambda facts: facts["created"] or "",
    "python": _version,
    "key": lambda facts: facts["key"],
}
"""What `--sort` takes, and what is compared then: newest and largest first, and keys by the alphabet."""


def _row(facts: Facts) -> tuple[str, ...]:
    states = [name for name, holds in (("in use", facts["in_use"]), ("replaced", not facts["current"])) if holds]
    return (
        facts["key"][:12],
        shown_octets(facts["size"]),
        shown_octets(facts["freed"]),
        facts["last_used"][:10],
        (facts["created"] or "?")[:10],
        facts["python"] or "?",
        ", ".join(states),
        ", ".join(facts["requirements"]),
        ", ".join(facts["scripts"]),
    )
