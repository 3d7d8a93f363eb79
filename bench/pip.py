#!/usr/bin/env python3
"""Measure ways to start pip, which a first run asks where nothing else knows the answer.

Each way installs the same distributions into an empty environment, in turns; the wheels are in pip's cache, and the
index is one on loopback. `pip --python ENV` is what everybody knows; the others run the same pip under the
environment's own interpreter, and each differs in one thing from the first of them, which has none of what scriptrun
adopted. Times are wall-clock times of the process, and processor time of it and its children, in milliseconds.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import report
import tools
import workshop
from measure import Command, find, tell
from workshop import Bench

REAL = ("rich", "httpx", "attrs", "jinja2", "pyyaml", "click")

CHILD = """\
import gc, os, runpy, sys
what, runner, *arguments = sys.argv[1:]
if "garbage" in what:
    gc.set_threshold(100000, 50, 50)
if "lsb_release" in what:
    sys.path.append(os.path.dirname(os.path.dirname(runner)))
    from pip._vendor.distro import distro
    distro._distro.include_lsb = distro._distro.include_uname = False
    sys.path.pop()
sys.argv = [runner, *arguments]
try:
    runpy.run_path(runner, run_name="__main__")
finally:
    if "garbage" in what:
        gc.freeze()
"""
"""The things that scriptrun's own child does before it runs pip, one at a time."""

OPTIONS = {
    "--no-compile": ("--no-compile",),
    "--no-warn-conflicts": ("--no-warn-conflicts",),
    "--no-deps (wrong without a lock)": ("--no-deps",),
    "--use-feature fast-deps": ("--use-feature", "fast-deps"),
    "--use-deprecated legacy-certs": ("--use-deprecated", "legacy-certs"),
    "--keyring-provider disabled": ("--keyring-provider", "disabled"),
    "--no-color": ("--no-color",),
    "--no-cache-dir": ("--no-cache-dir",),
}


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = workshop.options(__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of all ways beside each other (default 15)")
    arguments = parser.parse_args()
    rounds = 2 if arguments.quick else arguments.rounds
    with workshop.prepared(arguments.place, REAL, (tools.Scriptrun,)) as bench:
        head = report.show(report.machine(bench.tools))
        sections = [_compare(bench, workshop.tiny(2), "2 small distributions", rounds)]
        sections.append(_compare(bench, REAL, ", ".join(REAL), rounds))
    if arguments.write:
        report.write("pip", [head, *sections])


def _compare(bench: Bench, requirements: tuple[str, ...] | list[str], title: str, rounds: int) -> str:
    """Return the table of all ways to install these requirements."""
    environment = _environment(bench)
    contenders = _contenders(bench, environment, requirements)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            shutil.rmtree(environment)
            shutil.copytree(f"{environment}-empty", environment, symlinks=True)
            spent[name].append(_once(contenders[name]))
        tell(f"\r  round {number} of {rounds}")
    tell("\r\x1b[K")
    rows = [_row(name, values[1:], spent["runner"][1:]) for name, values in spent.items()]
    headings = (
        "pip",
        "wall, minimum",
        "wall, median",
        "processor, minimum",
        "processor, median",
        "to `runner`, median",
    )
    return report.show(f"### pip: {title}\n\n{rounds} rounds.\n\n{report.table(headings, rows)}")


def _row(name: str, values: list[tuple[float, float]], base: list[tuple[float, float]]) -> list[str]:
    wall, used = zip(*values, strict=True)
    difference = statistics.median(used) - statistics.median(one for _, one in base)
    cells = (min(wall), statistics.median(wall), min(used), statistics.median(used))
    return [name, *(f"{cell:.0f}" for cell in cells), f"{difference:+.0f}"]


def _environment(bench: Bench) -> Path:
    """Return where the environment is; an empty one is kept beside it."""
    environment = bench.place / "pip" / "environment"
    shutil.rmtree(environment.parent, ignore_errors=True)
    environment.parent.mkdir()
    tools.run([str(tools.PYTHON), "-m", "venv", "--without-pip", str(environment)])
    shutil.copytree(environment, f"{environment}-empty", symlinks=True)
    (bench.place / "pip" / "child.py").write_text(CHILD)
    return environment


def _contenders(bench: Bench, environment: Path, requirements: tuple[str, ...] | list[str]) -> Mapping[str, Command]:
    tool = bench.tools["scriptrun"]
    (package,) = tool.venv.glob("lib/python*/site-packages/pip")
    runner, child = str(package / "__pip-runner__.py"), str(bench.place / "pip" / "child.py")
    python, isolated = str(environment / "bin/python"), ("-I", "-X", "utf8")
    written = ("--report", str(bench.place / "pip" / "report.json"), "--progress-bar", "off")
    install = ("install", *written, "--no-warn-script-location")
    variables = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_TRUSTED_HOST": "127.0.0.1"}

    def command(*words: str) -> Command:
        return bench.command("scriptrun", *words, *requirements, **variables)

    found = {
        "pip --python": command(str(tool.venv / "bin/python"), "-m", "pip", "--python", python, *install),
        "runner": command(python, *isolated, runner, *install),
        "runner, not isolated": command(python, runner, *install),
        "runner, frozen modules": command(python, *isolated, "-X", "frozen_modules=on", runner, *install),
    }
    found.update({name: command(python, *isolated, runner, *install, *words) for name, words in OPTIONS.items()})
    for what in ("nothing", "no lsb_release", "no garbage"):
        found[f"own child: {what}"] = command(python, *isolated, child, what, runner, *install)
    every = ("--no-compile", "--no-warn-conflicts")
    found["all that is adopted"] = command(
        python, *isolated, child, "no lsb_release, no garbage", runner, *install, *every
    )
    return found


def _once(command: Command) -> tuple[float, float]:
    """Return wall-clock and processor time of a run, in milliseconds."""
    silence = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    started = time.perf_counter()
    process = os.posix_spawn(find(command), [*command.arguments], command.variables, file_actions=silence)
    _, status, used = os.wait4(process, 0)
    passed = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command.arguments)} failed")
    return passed * 1e3, (used.ru_utime + used.ru_stime) * 1e3


if __name__ == "__main__":
    main()
