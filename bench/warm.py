#!/usr/bin/env python3
"""Measure runs whose environment is ready, of scriptrun and of its peers.

Installs the peers and this checkout below .work/bench at the first use, each into a virtual environment of its own, and
starts them in turns. All times are wall-clock times in milliseconds, from the start of the process to its end.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import crowd
import processes
import report
import tracing
import workshop
from measure import Command, Times, in_turns, together
from workshop import Bench

LAUNCHES, PROCESSES = 200, 8

MOST, SHARE = 2.5, 0.15
"""The targets: milliseconds over Python at the median, and the share of what uv adds."""


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of scriptrun and uv beside Python (default 300)")
    parser.add_argument("--peer-rounds", type=int, default=20, help="of all tools beside each other (default 20)")
    arguments = parser.parse_args()
    rounds, peer_rounds = (10, 2) if arguments.quick else (arguments.rounds, arguments.peer_rounds)
    with workshop.prepared(arguments.place) as bench:
        facts = report.machine(bench.tools)
        sections = [*_from_shebang(bench, rounds), *_peers(bench, peer_rounds), _options(bench, max(rounds // 2, 2))]
        sections += [_many_launches(bench, 1 if arguments.quick else 5), _system_calls(bench), _memory(bench)]
        head = report.show(facts + report.absent(bench.missing))
    if arguments.write:
        report.write("warm", [head, *sections])


def _from_shebang(bench: Bench, rounds: int) -> Iterator[str]:
    """Yield the tables with targets: scriptrun and uv, each from its shebang, beside bare Python."""
    for title, name, requirements, body, variables in _cases(bench):
        contenders = {tool: bench.from_shebang(tool, name, requirements, body) for tool in ("scriptrun", "uv")}
        contenders["scriptrun"] = bench.command("scriptrun", *contenders["scriptrun"].arguments, **variables)
        contenders = bench.ready(contenders)
        _assert_recorded(bench, contenders["scriptrun"])
        times = in_turns({"python": bench.bare(name, **variables), **contenders}, rounds)
        yield report.show(f"### {title}\n\n{rounds} rounds.\n\n{report.compare(times)}\n{_verdict(times)}")


def _cases(bench: Bench) -> Iterator[tuple[str, str, Sequence[str], str, Mapping[str, str]]]:
    """Yield title, name, requirements, body of the script, and variables for scriptrun."""
    for number in (1, 20, 100):
        requirements = workshop.tiny(number)
        size = len(workshop.block(requirements))
        yield f"A block that lists {number} ({size} bytes)", f"block{number}", requirements, "", {}
    crowded = crowd.make(bench, bench.place / "crowded")
    title = f"A block that lists 1, {crowd.ENVIRONMENTS:,} environments in scriptrun's cache (uv's as it is)"
    yield title, "crowded", workshop.tiny(1), "", {"SCRIPTRUN_CACHE_DIR": str(crowded)}
    comment = "\n#" + "x" * 10_000_000  # one line: as 80 characters each, Python alone would take twice as long
    yield "A block that lists 1, 10 MB of comment below it", "large", workshop.tiny(1), comment, {}


def _assert_recorded(bench: Bench, command: Command) -> None:
    """End the benchmark where the launcher leaves a run to Python: what is measured then has another name."""
    if shutil.which("strace"):
        programs = [name for name, _ in tracing.before_script(command, bench.place / "trace").programs]
        if len(programs) != 2:
            sys.exit(f"`{command.arguments[0]}` is not started by the launcher alone, but by {programs}")


def _verdict(times: Mapping[str, Times]) -> str:
    over = times["scriptrun"].median - times["python"].median
    lines = [report.judge("milliseconds over Python at the median:", over, MOST)]
    if "uv" in times:
        share = over / (times["uv"].median - times["python"].median)
        lines.append(report.judge("share of uv's overhead:", share, SHARE))
    return "".join(f"- {line}\n" for line in lines)


def _peers(bench: Bench, rounds: int) -> Iterator[str]:
    """Yield tables of all tools, each from its shebang."""
    for number in (1, 20, 100):
        name = f"block{number}"
        contenders = {tool: bench.from_shebang(tool, name, workshop.tiny(number)) for tool in bench.tools}
        times = in_turns({"python": bench.bare(name), **bench.ready(contenders)}, rounds)
        title = f"### All tools, a block that lists {number}"
        yield report.show(f"{title}\n\n{rounds} rounds.\n\n{report.compare(times)}")


def _options(bench: Bench, rounds: int) -> str:
    """Return the table of runs with options, which the launcher leaves to Python; the target is `uv run --with`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    contenders = {}
    for words in (("--with", "tiny-001"), ("-p", version)):
        contenders[f"scriptrun {words[0]}"] = bench.command("scriptrun", "scriptrun", *words, "block1-scriptrun.py")
        contenders[f"uv run {words[0]}"] = bench.command("uv", "uv", "run", *words, "--script", "block1-uv.py")
    times = in_turns({"python": bench.bare("block1"), **bench.ready(contenders)}, rounds)
    text = f"### With `--with` or `-p`\n\n{rounds} rounds.\n\n{report.compare(times)}\n"
    for name in ("scriptrun --with", "scriptrun -p"):
        if "uv run --with" in times:
            ratio = times[name].median / times["uv run --with"].median
            text += f"- {report.judge(f'`{name}`, its time in all as a share of that of `uv run --with`:', ratio, 1)}\n"
    return report.show(text)


def _many_launches(bench: Bench, rounds: int) -> str:
    contenders = {
        "python": bench.bare("block1"),
        "scriptrun": bench.command("scriptrun", "./block1-scriptrun.py"),
        "uv": bench.command("uv", "./block1-uv.py"),
    }
    times = {name: Times() for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in names[number % 3 :] + names[: number % 3]:
            times[name].values.append(together(contenders[name], LAUNCHES, PROCESSES))
    title = f"### {LAUNCHES} launches from {PROCESSES} processes at once"
    return report.show(f"{title}\n\nThe total, in milliseconds; {rounds} rounds.\n\n{report.compare(times)}")


def _system_calls(bench: Bench) -> str:
    title = "### System calls before the script's Python is started\n\n"
    if not shutil.which("strace"):
        return report.show(f"{title}Not counted: strace is not installed.\n")
    rows = []
    written: set[str] = set()
    for number in (1, 20, 100):
        for tool in ("scriptrun", "uv"):
            calls = tracing.before_script(bench.command(tool, f"./block{number}-{tool}.py"), bench.place / "trace")
            if tool == "scriptrun":
                written |= {Path(path).name for path in calls.written if path != os.devnull}
            parts = ", ".join(f"{counter.total()} {_program(name)}" for name, counter in calls.programs)
            most = ", ".join(f"{count} {name}" for name, count in calls.programs[-1][1].most_common(4))
            rows.append([f"{tool}, {number} listed", str(calls.total), parts, most, str(calls.forks)])
    headings = ("run", "in all", "by program", "most in the last one", "processes and threads started")
    files = ", ".join(f"`{name}`" for name in sorted(written))
    return report.show(f"{title}{report.table(headings, rows)}\nFiles that scriptrun opens for writing: {files}.\n")


def _program(name: str) -> str:
    return "env" if name.endswith(".py") else name  # the kernel starts `env` for the script's first line


def _memory(bench: Bench) -> str:
    contenders = {
        "python": bench.bare("block1"),
        "scriptrun": bench.command("scriptrun", "./block1-scriptrun.py"),
        "uv": bench.command("uv", "./block1-uv.py"),
    }
    environment = str(Path(contenders["python"].arguments[0]).parent.parent)
    alone = processes.launcher_alone(bench, contenders["scriptrun"], environment)
    text = "### Memory\n\n"
    if os.access(processes.TIME, os.X_OK):
        rows = [
            [name, f"{processes.peak(command, bench.place / 'peak', 5):.0f}"]
            for name, command in {**contenders, "scriptrun, the launcher alone": alone}.items()
        ]
        text += report.table(("run", "peak of the largest process, KiB"), rows)
    else:
        text += f"The peak was not measured: {processes.TIME} is not installed.\n"
    return report.show(f"{text}\nProcesses while the script runs:\n\n{_trees(bench)}")


def _trees(bench: Bench) -> str:
    waiting = {
        tool: bench.from_shebang(tool, "waiting", workshop.tiny(1), processes.WAITING) for tool in ("scriptrun", "uv")
    }
    rows = []
    for tool, command in bench.ready(waiting).items():
        rows += [[tool, f"`{line}`", str(size)] for line, size in processes.tree(command)]
    return report.table(("run", "process", "resident, KiB"), rows)


if __name__ == "__main__":
    main()
