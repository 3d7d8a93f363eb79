#!/usr/bin/env python3
"""Measure the commands that look after the cache, with ten thousand environments in it, and pruning by itself.

Installs this checkout below .work/bench at the first use. The environments are copies of a real one, with one
distribution; their files are hard links, so that making them takes seconds; their last uses are spread over two months.
Before every start what was written so far is flushed to disk. All times are wall-clock times, from the start of the
process to its end.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import crowd
import report
import tools
import workshop
from measure import Command, Times, in_turns, once
from workshop import Bench

LOOKING = {
    "list": ("list",),
    "list --json": ("list", "--json"),
    "size": ("size",),
    "prune, nothing to remove": ("prune",),
    "prune --dry-run --older-than 30d, half of them": ("prune", "--dry-run", "--older-than", "30d"),
    "verify": ("verify",),
}
REMOVING = {
    "prune --older-than 30d, half of them": ("prune", "--older-than", "30d"),
    "prune --all": ("prune", "--all"),
    "clear": ("clear",),
}

MOST = 60.0
"""The target: no command takes longer, in seconds."""


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of what only looks (default 5)")
    parser.add_argument("--cold-rounds", type=int, default=30, help="of first runs (default 30)")
    arguments = parser.parse_args()
    rounds, cold_rounds = (1, 2) if arguments.quick else (arguments.rounds, arguments.cold_rounds)
    with workshop.prepared(arguments.place, kinds=[tools.Scriptrun]) as bench:
        head = report.show(report.machine(bench.tools))
        cache = bench.place / "kept-up"
        sections = [_first_runs(bench, cache, cold_rounds), _commands(bench, cache, rounds)]
    if arguments.write:
        report.write("cache", [head, *sections])


def _command(bench: Bench, cache: Path, *words: str) -> Command:
    return bench.command("scriptrun", "scriptrun", *words, SCRIPTRUN_CACHE_DIR=str(cache))


def _commands(bench: Bench, cache: Path, rounds: int) -> str:
    """Return the table of all commands; those that remove are measured once, each in a full cache."""
    crowd.make(bench, cache)
    flush = lambda _name: os.sync()  # noqa: E731 - a function that takes a name in vain
    times = in_turns({name: _command(bench, cache, "cache", *words) for name, words in LOOKING.items()}, rounds, flush)
    for name, words in REMOVING.items():
        crowd.make(bench, cache)
        os.sync()
        times[name] = Times([once(_command(bench, cache, "cache", *words))])
        shutil.rmtree(cache)
    rows = [
        [f"cache {name}", f"{own.minimum / 1000:.2f}", f"{own.median / 1000:.2f}", str(len(own.values))]
        for name, own in times.items()
    ]
    table = report.table(("command", "minimum", "median", "rounds"), rows)
    slowest = max(own.median for own in times.values()) / 1000
    verdict = report.judge("seconds of the slowest:", slowest, MOST)
    return report.show(f"### {crowd.ENVIRONMENTS:,} environments, in seconds\n\n{table}\n- {verdict}\n")


def _first_runs(bench: Bench, cache: Path, rounds: int) -> str:
    """Return the table of first runs with and without a pruning beside them, of a script that needs no pip."""
    crowd.make(bench, cache)
    bench.from_shebang("scriptrun", "nothing", ())
    command = _command(bench, cache, "--refresh", "nothing-scriptrun.py")
    workshop.run(command)
    pruned = cache / "v1/pruned"

    def before(name: str) -> None:
        _await_end_of_pruning(cache)
        last = 0.0 if name == "due" else time.time()
        os.utime(pruned, (last, last))
        os.sync()

    times = in_turns({"not due": command, "due": command}, rounds, before)
    _await_end_of_pruning(cache)
    return report.show(_told(times, rounds))


def _told(times: Mapping[str, Times], rounds: int) -> str:
    rows = [[name, f"{own.minimum:.1f}", f"{own.median:.1f}"] for name, own in times.items()]
    table = report.table(("pruning is", "minimum", "median"), rows)
    over = times["due"].median - times["not due"].median
    title = f"### A first run in a cache of {crowd.ENVIRONMENTS:,}, with the pruning that is due once a day"
    text = "In milliseconds, to the end of the script, which needs no pip"
    return f"{title}\n\n{text}; {rounds} rounds in turns.\n\n{table}\n- more at the median: {over:.1f}\n"


def _await_end_of_pruning(cache: Path) -> None:
    """Wait until nobody removes from the cache; who is about to is waited for a moment."""
    time.sleep(0.2)
    with open(cache / "v1/removal", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


if __name__ == "__main__":
    main()
