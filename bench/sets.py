"""Sets of distributions that scripts ask for, and new combinations of what was asked for before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import index
import workshop
from workshop import Bench

LARGER = ("pandas", "matplotlib", "requests", "rich")
"""The larger set, without what these require in turn."""

MODULES = {"pillow": "PIL", "python-dateutil": "dateutil", "fonttools": "fontTools", "markdown-it-py": "markdown_it"}
"""What is imported of a distribution, where its module has another name."""


@dataclass(frozen=True)
class Set:
    """What scripts ask for.

    `asked` is what they ask for again and again. A new set is `base` and two more of `pool`; the sets in `earlier`,
    which were asked for before, hold all of these or make them come along.
    """

    name: str
    title: str
    asked: tuple[str, ...]
    base: tuple[str, ...]
    pool: tuple[str, ...]
    earlier: tuple[tuple[str, ...], ...]

    def new(self, number: int) -> tuple[str, ...]:
        """Return a set that was not asked for, another one for each number."""
        pairs = itertools.combinations(self.pool, 2)
        return (*self.base, *next(itertools.islice(pairs, number, None)))


def small() -> Set:
    """Return two tiny distributions; new sets are other pairs of thirty, which were asked for by tens."""
    pool = tuple(workshop.tiny(30))
    return Set("small", "2 tiny distributions", pool[:2], (), pool, (pool[:10], pool[10:20], pool[20:]))


def larger(bench: Bench) -> Set:
    """Return what was downloaded; new sets name two of those that came along besides, so they are as large."""
    names = [index.project(path) for path in bench.downloads.glob("*.whl")]
    came_along = tuple(sorted(set(names) - set(LARGER)))
    title = f"{len(names)} distributions"
    return Set("larger", title, LARGER, LARGER, came_along, (LARGER[:2], LARGER[2:]))


def imports(requirements: Sequence[str]) -> str:
    """Return the body of a script that imports what it asks for."""
    modules = [MODULES.get(one, one.replace("-", "_")) for one in requirements]
    return f"import {', '.join(modules)}\n"
