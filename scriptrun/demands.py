"""What a program wants, in words, for somebody who is to decide whether it may have it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from scriptrun import quantities
from scriptrun.errors import escape, without_credentials
from scriptrun.metadata import ScriptMetadata
from scriptrun.pinning import pins
from scriptrun.pinning.pins import Pin
from scriptrun.pinning.pylock import Lock

Rows = tuple[tuple[str, str], ...]
"""Pairs of a label and what there is to say of it."""


def rows(content: bytes, script: ScriptMetadata, held: Sequence[Pin]) -> Rows:
    """Return what a program with this content wants; `held` is what its lock holds."""
    return (
        ("depends on", ", ".join(str(one.requirement) for one in script.dependencies) or "nothing"),
        ("bounded by", ", ".join(str(one.requirement) for one in script.constraints)),
        ("sources", "; ".join(_sources(script))),
        ("locked", "; ".join(_locked(held))),
        ("options", "; ".join(f"{name} = {_plain(value)}" for name, value in script.options.given())),
        ("python", str(script.requires_python)),
        ("size", quantities.shown_octets(len(content))),
    )


def shown(rows: Rows) -> Rows:
    """Return the rows that say something, fit to be shown: without credentials, control characters escaped."""
    return tuple((label, escape(without_credentials(text))) for label, text in rows if text)


def held(lock: Lock) -> tuple[Pin, ...]:
    """Return what a lock holds, for whichever Python."""
    alone = (dataclasses.replace(lock, packages=(dataclasses.replace(one, marker=None),)) for one in lock.packages)
    return tuple(pin for one in alone for pin in pins.read(one, {}))


def _locked(held: Sequence[Pin]) -> Iterator[str]:
    """Yield how many distributions the lock holds, then which: it may hold what nothing in the block asks for."""
    if held:
        yield f"{len(held)} distribution{'s' * (len(held) != 1)}"
    for one in held:
        name, _, url = one.requirement.partition(" @ ")
        yield f"{name} from {url}" if url else name.replace("==", " ")


def _sources(script: ScriptMetadata) -> Iterator[str]:
    """Yield from where the block wants distributions to come that it names."""
    for name, alternatives in sorted(script.sources.items()):
        yield from (f"{name} from {one.url or one.index}" for one in alternatives)


def _plain(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
