"""Compare distributions in the store with what was put there: environments put together later would get the damage."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from scriptrun import integrity, paths, shape
from scriptrun.integrity import Digests
from scriptrun.store import assembly, kept, listing
from scriptrun.store.listing import Unusable
from scriptrun.upkeep import inventory


@dataclass(frozen=True)
class Damage:
    """What is wrong with a file of a distribution in the store, which is known by the name of its directory."""

    name: str
    file: str
    what: str


def damages(cache: str, digests: Digests) -> Iterator[Damage]:
    """Yield what is wrong in the store; what another version of scriptrun put there is not looked at.

    Raises OSError where the machine lacks what it takes to read it.
    """
    for name in inventory.kept_names(cache):
        one = kept.find(cache, name)
        if one is not None:
            yield from (Damage(name, *found) for found in _compare(one.path, digests))
        elif not shape.is_foreign(os.path.join(paths.store(cache), name, kept.FACTS), kept.FORMAT):
            yield Damage(name, kept.FACTS, integrity.DIFFERS)


def _compare(directory: str, digests: Digests) -> Iterator[tuple[str, str]]:
    """Yield each file that is not what it was when it was kept, and what is wrong with it."""
    try:
        found = listing.read(directory)
    except Unusable:
        yield listing.NAME, integrity.DIFFERS
        return
    content = os.path.join(directory, assembly.CONTENT)
    rows = [*found.files, *((*one[:3], ",") for one in found.programs), *_compiled(directory)]
    hashes: dict[str, list[str]] = {}
    for stored, _, _, rest in rows:
        hashes.setdefault(stored, []).extend(one for one in [rest.partition(",")[0]] if one)
    for stored, (size, mtime) in {one[0]: one[1:3] for one in rows}.items():
        path = os.path.join(content, stored)
        told = hashes[stored]
        what = integrity.compare_hashes(path, told, digests) if told else _compare_status(path, size, mtime)
        if what:
            yield stored, what


def _compiled(directory: str) -> Iterator[tuple[str, int, int, str]]:
    """Yield the files of byte code, by all versions of Python; a list that cannot be read leads nobody to any."""
    for name in os.listdir(directory):
        head, _, tag = name.partition(".")
        if head == listing.NAME and tag and "." not in tag:
            with contextlib.suppress(Unusable):
                yield from listing.read(directory, tag).files


def _compare_status(path: str, size: int, mtime: int) -> str:
    """Return what is wrong with a file that has no hash."""
    try:
        assembly.verify(path, size, mtime)
    except Unusable:
        return integrity.DIFFERS if os.path.lexists(path) else integrity.MISSING
    return ""
