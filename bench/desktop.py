#!/usr/bin/env python3
"""Measure what a script's entry in the application menu costs to start, beside a run of the script by scriptrun.

Installs this checkout below .work/bench at the first use. The script's environment is ready; it gets no terminal. What
is started is the command in the entry, directly: no desktop takes part in it. All times are wall-clock times in
milliseconds, from the start of the process to its end.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import report
import tools
import workshop
from measure import in_turns
from workshop import Bench

MOST = 1.5
"""The target: how many times as long as a run it takes, at the median."""


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="default 200")
    arguments = parser.parse_args()
    rounds = 5 if arguments.quick else arguments.rounds
    with workshop.prepared(arguments.place, kinds=[tools.Scriptrun]) as bench:
        sections = [report.show(report.machine(bench.tools)), _entry(bench, rounds)]
    if arguments.write:
        report.write("desktop", sections)


def _entry(bench: Bench, rounds: int) -> str:
    """Return the table of a script that is run by scriptrun, and started from its entry."""
    run = bench.from_shebang("scriptrun", "entry", workshop.tiny(1))
    script = bench.scripts / run.arguments[0]
    script.write_text(script.read_text().replace("# ///\n", "# [tool.scriptrun]\n# gui = true\n# ///\n"))
    workshop.run(bench.command("scriptrun", "scriptrun", "desktop", "add", str(script)))
    entry = bench.command("scriptrun", *_words(bench.tools["scriptrun"].home))
    contenders = bench.ready({"scriptrun": run, "its entry": entry})
    times = in_turns({"python": bench.bare("entry"), **contenders}, rounds)
    ratio = times["its entry"].median / times["scriptrun"].median
    verdict = report.judge("time of the entry, as a multiple of the run by scriptrun:", ratio, MOST)
    return report.show(f"{rounds} rounds.\n\n{report.compare(times)}\n- {verdict}\n")


def _words(home: Path) -> list[str]:
    """Return the words of the only entry's `Exec`, which a shell would understand as well, without files."""
    (entry,) = (home / ".local/share/applications").glob("scriptrun-*.desktop")
    line = next(line for line in entry.read_text().splitlines() if line.startswith("Exec="))
    return [word for word in shlex.split(line.removeprefix("Exec=")) if word != "%F"]


if __name__ == "__main__":
    main()
