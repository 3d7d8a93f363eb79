#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["ray>=2.40", "mpmath>=1.3"]
# ///
"""Compute π on the nodes of a Ray cluster: `RAY_ADDRESS=HEAD:6379 ./on_ray.py [DIGITS]`.

Ray starts its workers by `scriptrun --script` of this file, so each node makes or has the environment of this script and
its lock: see docs/fleet.md. Each task tells in which it ran; the status is 1 where that had another key or other
versions than the one of this program.
"""

import os
import shlex
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import ray
from mpmath import mp, mpf, nstr, quad

SLICES = 16


class Place(NamedTuple):
    """Where a task ran. Its environment is scriptrun's: the name before the last of the path is the key."""

    node: str
    environment: str
    versions: tuple[str, ...]

    @property
    def content(self) -> tuple[str, ...]:
        """What is to be equal everywhere."""
        return (Path(self.environment).parent.name, *self.versions)


def place(node: str) -> Place:
    """Return where this is called."""
    return Place(node, sys.prefix, tuple(f"{name} {version(name)}" for name in ("ray", "mpmath")))


@ray.remote(scheduling_strategy="SPREAD", max_retries=10)
def part(number: int, digits: int) -> tuple[str, Place]:
    """Return the area under 4/(1+x²) over one of the slices from 0 to 1, whose sum is π."""
    mp.dps = digits + 10
    area = quad(lambda x: 4 / (1 + x * x), [mpf(number) / SLICES, mpf(number + 1) / SLICES])
    return nstr(area, mp.dps), place(ray.util.get_node_ip_address())


def main(digits: int) -> int:
    """Have the slices computed, and tell where that was."""
    script = shlex.quote(str(Path(__file__).resolve()))  # the line is read by a shell
    ray.init(runtime_env={"py_executable": f"scriptrun --script {script}"}, log_to_driver=False)
    parts = ray.get([part.remote(number, digits) for number in range(SLICES)])
    mp.dps = digits + 10
    print(nstr(sum(mpf(area) for area, _ in parts), digits))
    here, places = place("this program"), Counter(where for _, where in parts)
    for where, number in [*sorted(places.items()), (here, 0)]:
        print(f"{where.node}: {number} slices, {', '.join(where.versions)}\n  in {where.environment}")
    return int(any(where.content != here.content for where in places))


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
