"""Many nodes that start one script at once, and what they ask of the index that they share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import nodes
import report
from index import Requests
from measure import Times, at_most, tell
from nodes import Site, Way

NODES = {"small": 64, "larger": 16}
"""How many nodes there are, by the name of the set: the larger one takes 160 MB on each."""

WIDTH = 4
"""How many of them start at once."""

HEADINGS = ("from", "run", "median, s", "of uv's", *Requests.KINDS, "requests a node", "MB sent")


@dataclass
class _Seen:
    """What the starts on all nodes took, in each round, and what they asked of the index in the last one."""

    times: Times = field(default_factory=Times)
    number: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0


def table(site: Site, ways: Sequence[Way], requests: Requests, rounds: int, count: int) -> str:
    """Return the table of first starts on as many nodes."""
    ways = [way for way in ways if way.source not in (nodes.HERE, nodes.FOLDER) and not way.is_slow]
    seen = [_Seen() for _ in ways]
    for round_ in range(rounds):
        for step in range(len(ways)):
            number = (round_ + step) % len(ways)
            _start_all(site, ways[number], count, requests, seen[number])
        tell(f"\r  round {round_ + 1} of {rounds}")
    tell("\r\x1b[K")
    uv = [one.times.median for way, one in zip(ways, seen, strict=True) if (way.source, way.run) == nodes.UNIT]
    rows = []
    for way, one in zip(ways, seen, strict=True):
        total = one.times.median
        cells = [way.source, way.run, f"{total / 1000:.2f}", f"{total / uv[0]:.2f}" if uv else ""]
        cells += [f"{one.number.get(kind, 0):,}" for kind in Requests.KINDS]
        rows.append([*cells, f"{sum(one.number.values()) / count:.1f}", f"{one.sent / 1e6:.1f}"])
    title = f"### {count} nodes, one index: {site.wanted.title}"
    text = f"{rounds} round{'s' * (rounds > 1)}; {WIDTH} nodes start at once."
    return report.show(f"{title}\n\n{text}\n\n{report.table(HEADINGS, rows)}")


def _start_all(site: Site, way: Way, count: int, requests: Requests, seen: _Seen) -> None:
    """Start the script on nodes where nothing is yet."""
    homes = [nodes.empty(site.place / "nodes" / f"one-of-many-{number}") for number in range(count)]
    os.sync()
    requests.clear()
    seen.times.values.append(at_most(map(way.on, homes), WIDTH))
    seen.number, seen.sent = dict(requests.number), requests.sent.total()
    for home in homes:
        shutil.rmtree(home)
