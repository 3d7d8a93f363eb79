#!/usr/bin/env python3
"""Measure what a script costs on many nodes: until it is ready on one, a thousand starts, 64 nodes with one index.

Installs the peers and this checkout below .work/bench at the first use, as the other benchmarks do. A node is an empty
home; the index is one on loopback, which counts what it is asked. All times are wall-clock times.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import index as indexes
import nodes
import processes
import report
import sets
import swarm
import workshop
from index import Requests
from measure import Command, Times, in_rounds, in_turns, once, tell, together
from nodes import BUNDLE, INDEX, Site, Way
from tools import PYTHON
from workshop import Bench

LAUNCHES, PROCESSES = 1000, 16

AGAIN = 3
"""How often a script is started once more on a node where it was started once."""

SELDOM = 5
"""Slow tools take part in each of this number of rounds, and for each of this number all nodes start once."""

HEADINGS = ("from", "run", "rounds", "minimum", "median", "× Python", "of uv's", "started again", "× Python")


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="of first starts (default 5); of the others as the tables say"
    )
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    requests = Requests()
    with workshop.prepared(arguments.place, sets.LARGER) as bench:
        facts = report.machine(bench.tools)
        _obey_modes()
        with indexes.serve(bench.place / "index", requests) as bench.index:
            sections = list(_sections(bench, requests, rounds, quick=arguments.quick))
        head = report.show(facts + report.absent(bench.missing))
    if arguments.write:
        report.write("fleet", [head, *sections])


def _sections(bench: Bench, requests: Requests, rounds: int, *, quick: bool) -> Iterator[str]:
    tools = nodes.QUICK if quick else tuple(bench.tools)
    sites = {}
    for wanted in (sets.small(), sets.larger(bench)):
        site = Site(bench, wanted)
        sites[site] = site.ways(tools)
        yield _ready(site, sites[site], rounds)
    site = next(iter(sites))
    warm = _warm(site, sites[site])
    yield _started_again(warm, rounds * 20)
    yield _many(bench.place, warm, (rounds + 1) // 2, PROCESSES if quick else LAUNCHES)
    for site, ways in sites.items():
        count = swarm.WIDTH if quick else swarm.NODES[site.wanted.name]
        yield swarm.table(site, ways, requests, -(-rounds // SELDOM), count)


def _obey_modes() -> None:
    """Let no program that is started write where modes forbid it, also where root measures: caches are read-only then.

    Where this is not Linux, or not root, nothing changes.
    """
    if sys.platform == "linux" and not os.geteuid():
        for capability in (1, 3):  # CAP_DAC_OVERRIDE, CAP_FOWNER
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _ready(site: Site, ways: list[Way], rounds: int) -> str:
    """Return the table of first starts on a node, and of those that follow there."""
    again = {number: Times() for number in range(len(ways))}

    def prepare(number: int, round_: int) -> Command | None:
        way = ways[number]
        if way.is_slow and round_ % SELDOM:
            return None
        return way.on(site.node("first"))

    def after(number: int, command: Command) -> None:
        again[number].values += [once(command) for _ in range(AGAIN)]

    first = in_rounds(list(again), rounds, prepare, after)
    uv = [first[number].median for number, way in enumerate(ways) if (way.source, way.run) == nodes.UNIT]
    rows = []
    for number, way in enumerate(ways):
        own, later = first[number].median, again[number].median
        cells = [way.source, way.run, str(len(first[number].values)), f"{first[number].minimum:.0f}", f"{own:.0f}"]
        cells += [f"{own / first[0].median:.1f}", f"{own / uv[0]:.2f}" if uv and number else ""]
        rows.append([*cells, f"{later:.1f}", f"{later / again[0].median:.2f}"])
    text = f"{rounds} rounds; where the script was started again, {AGAIN} times each."
    title = f"### Ready on a node: {site.wanted.title}"
    return report.show(f"{title}\n\n{text}\n\n{report.table(HEADINGS, rows)}")


def _warm(site: Site, ways: list[Way]) -> dict[str, Command]:
    """Return what starts the script where all is ready, each run on a node of its own."""
    chosen = [way for way in ways if way.source in (nodes.HERE, INDEX, BUNDLE) and not way.is_slow]
    found = {way.source if way.source == BUNDLE else way.run: way for way in chosen}
    return site.bench.ready({name: way.on(site.node(f"warm-{name}")) for name, way in found.items()})


def _started_again(warm: Mapping[str, Command], rounds: int) -> str:
    alone = Command([str(PYTHON), "-c", ""], warm["python"].variables)
    table = report.compare(in_turns({**warm, "the machine's own Python, for nothing": alone}, rounds))
    return report.show(f"### Started again on a node, 2 tiny distributions\n\n{rounds} rounds.\n\n{table}")


def _many(place: Path, warm: Mapping[str, Command], rounds: int, launches: int) -> str:
    """Return the table of starts from several processes; each contender has blocks of its own, which take turns."""
    times = {name: Times() for name in warm}
    names = list(warm)
    for number in range(rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            times[name].values.append(together(warm[name], launches, PROCESSES))
        tell(f"\r  round {number + 1} of {rounds}")
    tell("\r\x1b[K")
    rows = []
    for name, own in times.items():
        seconds = own.median / 1000
        cells = [name, f"{own.minimum / 1000:.2f}", f"{seconds:.2f}", f"{launches / seconds:.0f}"]
        rows.append([*cells, f"{own.median / times['python'].median:.2f}", _peak(warm[name], place)])
    headings = ("run", "minimum, s", "median, s", "starts a second", "× Python", "peak of the largest process, MiB")
    title = f"### {launches:,} starts from {PROCESSES} processes on one host"
    return report.show(f"{title}\n\n{rounds} rounds.\n\n{report.table(headings, rows)}")


def _peak(command: Command, place: Path) -> str:
    if not os.access(processes.TIME, os.X_OK):
        return f"{processes.TIME} is not installed"
    return f"{processes.peak(command, place / 'peak', 3) / 1024:.1f}"


if __name__ == "__main__":
    main()
