#!/usr/bin/env python3
"""Measure first runs: the environment is yet to be made, of what was downloaded before, or of nothing.

Installs the peers and this checkout below .work/bench at the first use, each into a virtual environment of its own, and
starts them in turns; each has a home of its own for what is measured. The index is one on loopback; the larger set's
wheels are downloaded once from the index that pip is configured for. All times are wall-clock times in milliseconds.

scriptrun's own share is all but two windows: from the start of the pip process to its end, and from the moment the
process becomes the script to its end. They are seen from outside, in runs of their own, by `strace --seccomp-bpf`,
which stops a process only where it starts a program.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import disk
import first
import report
import sets
import share
import tools
import workshop
from first import Rounds
from workshop import Bench


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument(
        "--rounds", type=int, default=20, help="with the small set (default 20), a third with the larger"
    )
    arguments = parser.parse_args()
    with workshop.prepared(arguments.place, sets.LARGER) as bench:
        facts = report.machine(bench.tools)
        bench.tools["scriptrun-asking"] = tools.Asking(bench.place)
        sections = list(_sections(bench, 1 if arguments.quick else arguments.rounds, quick=arguments.quick))
        head = report.show(facts + report.absent(bench.missing))
    if arguments.write:
        report.write("cold", [head, *sections])


def _sections(bench: Bench, rounds: int, *, quick: bool) -> Iterator[str]:
    few = max(rounds // 3, 1)
    small, larger = sets.small(), sets.larger(bench)
    seldom = 0 if quick else 3
    both = ((small, Rounds(rounds, 5)), (larger, Rounds(few, seldom)))
    yield from (first.gone(bench, *one) for one in both)
    yield from (first.new(bench, *one) for one in both)
    yield from _shares(bench, ((small, few), (larger, few)))
    yield from (first.nothing(bench, one, Rounds(max(few // 2, 1), times.seldom)) for one, times in both)
    yield disk.shared(bench)
    yield first.scaling(bench, larger, few)


def _shares(bench: Bench, both: tuple[tuple[sets.Set, int], ...]) -> Iterator[str]:
    if not shutil.which("strace"):
        yield report.show("scriptrun's own share is not measured: strace is not installed.\n")
        return
    yield from (share.asking(bench, *one) for one in both)
    yield from (share.gone(bench, *one) for one in both)


if __name__ == "__main__":
    main()
