"""First runs of all tools beside each other: environments gone, new sets, nothing cached, and how they scale."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import report
import workshop
from measure import Command, Times, in_rounds
from scene import QUICK, Contender, Scene
from sets import Set
from workshop import Bench

OF_UV = 0.7
"""The target: the time in all as a share of uv's."""

COUNTS = (1, 10, 100)
"""How many tiny distributions scaling is measured with."""

HEADINGS = ("pages", "the script", "run", "rounds", "minimum", "median", "over Python", "of uv's total")


@dataclass(frozen=True)
class Rounds:
    """How many rounds there are, and that slow tools take part in each `seldom`-th of them (0: in none)."""

    number: int
    seldom: int


def gone(bench: Bench, wanted: Set, rounds: Rounds) -> str:
    """Return the table of runs whose environment has gone, while their answer is known."""
    scene = _scene(bench, "gone", wanted, rounds.seldom)
    scene.leave_out("scriptrun-asking")
    working = bench.ready({one: scene.command(one, wanted.asked) for one in scene.contenders()}, times=1)
    scene.look_after()

    def prepare(one: Contender, _number: int) -> Command:
        scene.forget(one)
        return working[one]

    return _compare(f"Environment gone, answer known: {wanted.title}", list(working), rounds, prepare)


def new(bench: Bench, wanted: Set, rounds: Rounds) -> str:
    """Return the table of new scripts, each with a new set of what is known."""
    scene = _scene(bench, "new", wanted, rounds.seldom)
    scene.acquaint()

    def prepare(one: Contender, number: int) -> Command:
        scene.forget(one)
        return scene.command(one, wanted.new(2 * number + one.imports), f"-{number}")

    return _compare(f"A new script, a new set of what is known: {wanted.title}", [*scene.contenders()], rounds, prepare)


def _compare(
    title: str, names: Sequence[Contender], rounds: Rounds, prepare: Callable[[Contender, int], Command]
) -> str:
    """Return the table and the verdicts; slow tools sit most rounds out."""

    def sparing(one: Contender, number: int) -> Command | None:
        return None if one.is_slow and number % rounds.seldom else prepare(one, number)

    times = in_rounds(names, rounds.number, sparing)
    rows = []
    for one in sorted(names, key=lambda one: (one.pages, one.imports)):
        body = "imports all" if one.imports else "imports nothing"
        figures = _figures(times[one], times[one.beside("python")], times.get(one.beside("uv")))
        rows.append([one.pages, body, f"{one.tool}", *figures])
    return report.show(f"### {title}\n\n{report.table(HEADINGS, rows)}\n{_verdict(times)}")


def _figures(own: Times, python: Times, uv: Times | None) -> list[str]:
    over = "" if own is python else f"{own.median - python.median:.1f}"
    share = f"{own.median / uv.median:.2f}" if uv and own is not python else ""
    return [str(len(own.values)), f"{own.minimum:.1f}", f"{own.median:.1f}", over, share]


def _verdict(times: Mapping[Contender, Times]) -> str:
    """Return what the target says of runs that import nothing, and beside it the same of those that import."""
    lines = []
    for pages in ("fresh", "stale"):
        shares = []
        for imports in (False, True):
            own = Contender(pages, imports, "scriptrun")
            if own.beside("uv") in times:
                shares.append(times[own].median / times[own.beside("uv")].median)
        if shares:
            verdict = report.judge(f"{pages} pages, share of uv's total:", shares[0], OF_UV)
            lines.append(f"- {verdict}; where the script imports: {shares[1]:.2f}\n")
    return "".join(lines)


def _scene(bench: Bench, name: str, wanted: Set, seldom: int) -> Scene:
    """Return a scene, without the slow tools where they are never wanted."""
    scene = Scene(bench, name, wanted)
    for tool in () if seldom else bench.tools.keys() - set(QUICK):
        scene.leave_out(tool)
    return scene


def nothing(bench: Bench, wanted: Set, rounds: Rounds) -> str:
    """Return the table of runs with nothing cached at all."""
    scene = _scene(bench, "nothing", wanted, rounds.seldom)
    scene.leave_out("scriptrun-asking")
    home = scene.homes["fresh"]
    names = [one for one in scene.contenders() if one.pages == "fresh" and not one.imports]
    working = bench.ready({one: scene.command(one, wanted.asked) for one in names}, times=1)

    def prepare(one: Contender, _number: int) -> Command:
        if one.tool in home.tools:
            home.tools[one.tool].empty()
        os.sync()
        return working[one]

    return _compare_one(f"Nothing cached at all: {wanted.title}", in_rounds(list(working), rounds.number, prepare))


def _compare_one(title: str, times: Mapping[Contender, Times]) -> str:
    rows = [
        [one.tool, *_figures(own, times[one.beside("python")], times.get(one.beside("uv")))]
        for one, own in times.items()
    ]
    return report.show(f"### {title}\n\n{report.table(HEADINGS[2:], rows)}")


def scaling(bench: Bench, larger: Set, rounds: int) -> str:
    """Return the table of runs whose environment has gone, by the number of distributions, and what a file costs."""
    tiny = [Set(f"tiny-{count}", "", tuple(workshop.tiny(count)), (), (), ()) for count in COUNTS]
    scenes = [Scene(bench, "scale", wanted) for wanted in (*tiny, larger)]
    working: dict[tuple[int, str], Command] = {}
    for number, scene in enumerate(scenes):
        for tool in ("python", "scriptrun", "uv"):
            working[number, tool] = scene.command(Contender("fresh", False, tool), scene.wanted.asked)
    working = bench.ready(working)
    files = [_files(Path(scene.bare)) for scene in scenes]

    def prepare(name: tuple[int, str], _number: int) -> Command:
        number, tool = name
        scenes[number].forget(Contender("fresh", False, tool))
        return working[name]

    times = in_rounds(list(working), rounds, prepare)
    rows = []
    for (number, tool), own in times.items():
        count, found = files[number]
        over = own.median - times[number, "python"].median
        per_file = "" if tool == "python" else f"{over / found * 1000:.0f}"
        cells = [str(count), f"{found:,}", tool, f"{own.minimum:.1f}", f"{own.median:.1f}"]
        rows.append([*cells, f"{over:.1f}" if per_file else "", per_file])
    headings = ("distributions", "files", "run", "minimum", "median", "over Python", "µs per file")
    text = f"Environment gone, answer known, fresh pages, the script imports nothing; {rounds} rounds.\n\n"
    return report.show(f"### By the number of distributions\n\n{text}{report.table(headings, rows)}")


def _files(python: Path) -> tuple[int, int]:
    """Return how many distributions the environment of a Python has, and files, without byte code."""
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    found = [path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.name == "METADATA" for path in found), len(found)
