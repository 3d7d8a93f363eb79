"""Tables in Markdown, for the terminal and for docs/performance.md, and what the machine was."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure import Times
from tools import ROOT, Tool

PAGE = ROOT / "docs/performance.md"

HEADINGS = ("run", "minimum", "median", "over Python, minimum", "over Python, median", "× Python", "of uv's overhead")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; all columns but the first are aligned to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def compare(times: Mapping[str, Times]) -> str:
    """Return the table of contenders measured in the same rounds; `python` is among them, `uv` may be."""
    python, uv = times["python"], times.get("uv")
    rows = []
    for name, own in times.items():
        over = own.median - python.median
        cells = [name, f"{own.minimum:.1f}", f"{own.median:.1f}"]
        if own is not python:
            cells += [f"{own.minimum - python.minimum:.1f}", f"{over:.1f}", f"{own.median / python.median:.2f}"]
            cells += [f"{over / (uv.median - python.median):.2f}" if uv else ""]
        rows.append(cells + [""] * (len(HEADINGS) - len(cells)))
    columns = len(HEADINGS) if uv else len(HEADINGS) - 1
    return table(HEADINGS[:columns], [row[:columns] for row in rows])


def judge(figure: str, value: float, limit: float) -> str:
    """Return whether a figure is at most its target, in words."""
    return f"{figure} {value:.2f}, target at most {limit:g}: {'met' if value <= limit else 'MISSED'}"


def machine(tools: Mapping[str, Tool]) -> str:
    """Return what was measured, on what, and under which load."""
    versions = ", ".join(f"{name} {tool.version()}" for name, tool in tools.items())
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    rows = [
        f"{time.strftime('%Y-%m-%d')}; {os.cpu_count()} CPUs, {_processor()}; load at the start: {load}",
        f"{platform.system()} {platform.release()}; `/bin/sh` is {Path('/bin/sh').resolve().name}",
        f"CPython {platform.python_version()}, {versions}",
        *(f"{tool.name}: {tool.remark}" for tool in tools.values() if tool.remark),
    ]
    return "".join(f"- {row}\n" for row in rows)


def absent(missing: Mapping[str, str]) -> str:
    """Return which tools do not take part, and why."""
    return "".join(f"- {name} is not in the tables, as it does not work:\n  `{why}`\n" for name, why in missing.items())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def show(section: str) -> str:
    """Print a section at once, as the next one takes its time, and return it."""
    print(section, flush=True)
    return section


def write(name: str, sections: Sequence[str]) -> None:
    """Put sections between the marks `name` of the page."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    page = PAGE.read_text()
    if begin not in page or end not in page:
        sys.exit(f"{PAGE} lacks the marks {begin}{end}")
    before, rest = page.split(begin)
    PAGE.write_text(before + begin + "\n" + "\n".join(sections) + "\n" + end + rest.split(end)[1])
    print(f"written to {PAGE}", file=sys.stderr)
