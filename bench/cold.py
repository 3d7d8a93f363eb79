#!/usr/bin/env python3
"""Measure first runs: distributions are downloaded already, the environment is yet to be made.

Installs the peers and this checkout below .work/bench at the first use, each into a virtual environment of its own, and
starts them in turns. Before every start the tool forgets the environments that it made for scripts, but nothing of
what it downloaded, and what was written so far is flushed to disk. The index is one on loopback that allows caching
as public ones do; the larger set's wheels are downloaded once from the index that pip is configured for. All times
are wall-clock times in milliseconds.

scriptrun's own share is all but two windows: from the start of the pip process to its end, and from the moment the
process becomes the script to its end. They are seen from outside, in runs of their own, by `strace --seccomp-bpf`,
which stops a process only where it starts a program.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import report
import tracing
import workshop
from measure import Command, in_turns
from tracing import Window
from workshop import Bench

REAL = ("rich", "httpx", "attrs", "jinja2", "pyyaml", "click")
"""The larger set, without what these require in turn."""

SHARE = 150
"""The target for scriptrun's own share, in milliseconds."""

SETS = {
    "small": ("2 small distributions", tuple(workshop.tiny(2)), "import tiny_000, tiny_001\n"),
    "larger": (", ".join(REAL), REAL, "import rich, httpx, attrs, jinja2, yaml, click\n"),
}


@dataclass(frozen=True)
class Share:
    """Where the time of a first run goes, in milliseconds."""

    launcher: float
    before_pip: float
    pip: float
    after_pip: float
    script: float

    @property
    def own(self) -> float:
        """scriptrun's own: everything but pip and the script."""
        return self.launcher + self.before_pip + self.after_pip


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="of all tools beside each other (default 12)")
    arguments = parser.parse_args()
    rounds = 2 if arguments.quick else arguments.rounds
    with workshop.prepared(arguments.place, REAL) as bench:
        facts = report.machine(bench.tools)
        sections = [_compare(bench, name, rounds) for name in SETS]
        sections += [_own_share(bench, name, rounds) for name in SETS]
        head = report.show(facts + report.absent(bench.missing))
    if arguments.write:
        report.write("cold", [head, *sections])


def _compare(bench: Bench, name: str, rounds: int) -> str:
    """Return the table of all tools for a set of distributions, beside bare Python where all is there."""
    title, requirements, body = SETS[name]
    contenders = {tool: bench.from_shebang(tool, name, requirements, body) for tool in bench.tools}
    working = bench.ready(contenders)
    contenders = {"python": _kept_environment(bench, name), **working}

    def forget(tool: str) -> None:
        if tool in bench.tools:
            bench.tools[tool].forget()
        os.sync()

    times = in_turns(contenders, rounds, forget)
    return report.show(f"### First run: {title}\n\n{rounds} rounds.\n\n{report.compare(times)}")


def _kept_environment(bench: Bench, name: str) -> Command:
    """Return bare Python in an environment for a set that is not forgotten: it has a cache of its own."""
    cache = {"SCRIPTRUN_CACHE_DIR": str(bench.place / "kept")}
    workshop.run(bench.command("scriptrun", f"./{name}-scriptrun.py", **cache))
    return bench.bare(name, **cache)


def _own_share(bench: Bench, name: str, rounds: int) -> str:
    title = f"### scriptrun's own share: {SETS[name][0]}\n\n"
    if not shutil.which("strace"):
        return report.show(f"{title}Not measured: strace is not installed.\n")
    command = bench.command("scriptrun", f"./{name}-scriptrun.py")
    shares = []
    for _ in range(rounds):
        bench.tools["scriptrun"].forget()
        os.sync()
        shares.append(_split(tracing.windows(command, bench.place / "trace")))
    parts = {
        "the launcher, to Python": [one.launcher for one in shares],
        "from there to the start of pip": [one.before_pip for one in shares],
        "from the end of pip to the script": [one.after_pip for one in shares],
        "**own share**": [one.own for one in shares],
        "pip, a process": [one.pip for one in shares],
        "the script": [one.script for one in shares],
    }
    rows = [[part, f"{min(values):.1f}", f"{statistics.median(values):.1f}"] for part, values in parts.items()]
    verdict = report.judge("milliseconds at the median:", statistics.median(parts["**own share**"]), SHARE)
    return report.show(f"{title}{rounds} rounds.\n\n{report.table(('part', 'minimum', 'median'), rows)}\n- {verdict}\n")


def _split(windows: Sequence[Window]) -> Share:
    """Return how a first run is divided, by the programs that it started."""
    found: Mapping[str, Window | None] = {
        part: next((one for one in windows if mark in one.arguments), None)
        for part, mark in (("python", "--launch-record"), ("pip", "pip_child.py"))
    }
    python, pip, script = found["python"], found["pip"], windows[-1]
    if python is None or pip is None:
        raise SystemExit(f"this was no first run: {[one.arguments for one in windows]}")
    return Share(
        launcher=python.start,
        before_pip=pip.start - python.start,
        pip=pip.length,
        after_pip=script.start - pip.end,
        script=script.length,
    )


if __name__ == "__main__":
    main()
