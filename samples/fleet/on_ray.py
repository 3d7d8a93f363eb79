#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["ray[default]>=2.40", "more-itertools>=10.8"]
# ///
"""Count primes on the nodes of a Ray cluster: `RAY_ADDRESS=HEAD:6379 ./on_ray.py [LIMIT]`.

Ray starts its workers by `scriptrun --script` of this file, or as PY_EXECUTABLE says, so each node has or makes the
environment of this script and its lock: see docs/fleet.md. Each task tells in which it ran; the status is 1 where that
had another key or other versions than the one of this program.
"""

import os
import shlex
import sys
from collections import Counter
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import ray
from more_itertools import is_prime

TASKS = 16


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
    return Place(node, sys.prefix, tuple(f"{name} {version(name)}" for name in ("ray", "more-itertools")))


@ray.remote(scheduling_strategy="SPREAD", max_retries=10)
def count(first: int, last: int) -> tuple[int, Place]:
    """Return how many of the numbers from `first` to before `last` are primes."""
    return sum(map(is_prime, range(first, last))), place(ray.util.get_node_ip_address())


def main(limit: int) -> int:
    """Have the primes counted, and tell where that was."""
    script = shlex.quote(str(Path(__file__).resolve()))  # the line is read by a shell
    executable = os.environ.get("PY_EXECUTABLE") or f"scriptrun --script {script}"
    ray.init(runtime_env={"py_executable": executable}, log_to_driver=False)
    ends = [limit * number // TASKS for number in range(TASKS + 1)]
    counts = ray.get([count.remote(first, last) for first, last in pairwise(ends)])
    print(f"{sum(number for number, _ in counts)} primes below {limit}")
    here, places = place("this program"), Counter(where for _, where in counts)
    for where, number in [*sorted(places.items()), (here, 0)]:
        print(f"{where.node}: {number} tasks, {', '.join(where.versions)}\n  in {where.environment}")
    return int(any(where.content != here.content for where in places))


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
