"""scriptrun's own share of a first run: all but pip's process and the script, as strace sees it from outside."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import report
import tracing
from scene import Contender, Scene
from sets import Set
from tracing import Window
from workshop import Bench

MOST = 120
"""The target for scriptrun's own share where pip is asked, in milliseconds."""

OWN = "**own share**"

Parts = Mapping[str, float]
"""Milliseconds by what they were spent on."""


def asking(bench: Bench, wanted: Set, rounds: int) -> str:
    """Return where the time goes when pip is asked for a new set, whose wheels were downloaded before."""
    scene, one = _alone(bench, "asking", wanted, "scriptrun-asking")
    scene.acquaint()
    found = []
    for number in range(rounds):
        scene.forget(one)
        command = scene.command(one, wanted.new(number), f"-{number}")
        found.append(_with_pip(tracing.windows(command, bench.place / "trace")))
    table = _table(f"scriptrun's own share, pip asked: {wanted.title}", found)
    own = statistics.median(parts[OWN] for parts in found)
    return report.show(f"{table}\n- {report.judge('milliseconds at the median:', own, MOST)}\n")


def gone(bench: Bench, wanted: Set, rounds: int) -> str:
    """Return where the time goes when the environment has gone and the answer is known: no pip may be seen."""
    scene, one = _alone(bench, "parts", wanted, "scriptrun")
    command = scene.command(one, wanted.asked)
    bench.ready({one: command})
    found = []
    for _ in range(rounds):
        scene.forget(one)
        found.append(_without_pip(tracing.windows(command, bench.place / "trace")))
    return report.show(_table(f"scriptrun's own share, environment gone: {wanted.title}", found))


def _alone(bench: Bench, name: str, wanted: Set, tool: str) -> tuple[Scene, Contender]:
    """Return a scene with one tool and fresh pages, and that as a contender."""
    scene = Scene(bench, name, wanted)
    del scene.homes["stale"]
    for other in bench.tools:
        if other != tool:
            scene.leave_out(other)
    return scene, Contender("fresh", False, tool)


def _with_pip(windows: Sequence[Window]) -> Parts:
    pips = [one for one in windows if "pip_child.py" in one.arguments]
    if not pips:
        raise SystemExit(f"pip was not asked: {[one.arguments for one in windows]}")
    python, script = _python(windows), windows[-1]
    in_pip = sum(one.length for one in pips)
    return {
        "the launcher, to Python": python.start,
        "from there to the start of pip": pips[0].start - python.start,
        "from the end of pip to the script": script.start - pips[-1].end,
        OWN: script.start - in_pip,
        "pip, a process": in_pip,
        "the script": script.length,
    }


def _without_pip(windows: Sequence[Window]) -> Parts:
    python, script = _python(windows), windows[-1]
    pips = sum("pip_child.py" in one.arguments for one in windows)
    return {
        "the launcher, to Python": python.start,
        "from there to the script": script.start - python.start,
        OWN: script.start,
        "starts of pip": pips,
        "the script": script.length,
    }


def _python(windows: Sequence[Window]) -> Window:
    return next(one for one in windows if "-record=" in one.arguments)


def _table(title: str, found: Sequence[Parts]) -> str:
    rows = []
    for part in found[0]:
        values = [parts[part] for parts in found]
        rows.append([part, f"{min(values):.1f}", f"{statistics.median(values):.1f}"])
    return f"### {title}\n\n{len(found)} rounds.\n\n{report.table(('part', 'minimum', 'median'), rows)}"
