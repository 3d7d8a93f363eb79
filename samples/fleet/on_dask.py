#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["dask[distributed]>=2025.1", "more-itertools>=10.8"]
# ///
"""Draw the primes along a spiral, found on the workers of a Dask cluster: `./on_dask.py tcp://SCHEDULER:8786 [SIZE]`.

Scheduler and workers run in the environment of this script too: see docs/fleet.md. Each task tells in which it ran; the
status is 1 where that had another key or other versions than the one of this program.
"""

import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from distributed import Client, get_worker
from more_itertools import is_prime

FIRST = 41
"""The number in the middle. From this one on a diagonal is full of primes: Euler's n² + n + 41."""


class Place(NamedTuple):
    """Where a task ran. Its environment is scriptrun's: the name before the last of the path is the key."""

    worker: str
    environment: str
    versions: tuple[str, ...]

    @property
    def content(self) -> tuple[str, ...]:
        """What is to be equal everywhere."""
        return (Path(self.environment).parent.name, *self.versions)


def place(worker: str) -> Place:
    """Return where this is called."""
    names = ("dask", "distributed", "more-itertools")
    return Place(worker, sys.prefix, tuple(f"{name} {version(name)}" for name in names))


def spiral(x: int, y: int) -> int:
    """Return which number is at a place of the spiral, whose middle is at 0, 0."""
    ring = max(abs(x), abs(y))
    last = FIRST - 1 + (2 * ring + 1) ** 2  # of the ring, at its lower right corner
    if y == -ring:
        return last - (ring - x)
    if x == -ring:
        return last - 2 * ring - (ring + y)
    return last - 4 * ring - (ring + x) if y == ring else last - 6 * ring - (ring - y)


def row(y: int, size: int) -> tuple[str, Place]:
    """Return a row of the picture; a task."""
    line = "".join("●" if is_prime(spiral(x, y)) else "·" for x in range(-size, size + 1))
    return line, place(get_worker().address)


def main(scheduler: str, size: int) -> int:
    """Have the rows drawn, and tell where that was."""
    with Client(scheduler) as client:
        rows = client.gather(client.map(row, range(size, -size - 1, -1), size=size, pure=False))
    picture = "\n".join(line for line, _ in rows)
    print(f"{picture}\n{picture.count('●')} primes from {FIRST} to {spiral(size, -size)}")
    here, places = place("this program"), Counter(where for _, where in rows)
    for where, number in [*sorted(places.items()), (here, 0)]:
        print(f"{where.worker}: {number} rows, {', '.join(where.versions)}\n  in {where.environment}")
    return int(any(where.content != here.content for where in places))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20))
