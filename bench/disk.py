"""What ten scripts take on disk, that share most of what they ask for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import report
import sets
import workshop
from workshop import Bench

SHARED = ("pandas", "numpy")
SCRIPTS = 10

OF_UV = 1.05
"""The target: bytes of scriptrun's cache as a share of those of uv's."""

CACHES = {"scriptrun": ".cache/scriptrun", "uv": ".cache/uv"}
PIPS = ".cache/pip"
"""What pip keeps for itself, below the home, when scriptrun asks it."""

HEADINGS = ("directory", "MB, scripts imported nothing", "of uv's", "MB, scripts imported all", "of uv's")


def shared(bench: Bench) -> str:
    """Return the table of the caches after ten scripts that differ in one small requirement each."""
    home = bench.at("disk")
    sizes = []
    for body in ("", sets.imports(SHARED)):
        for number, tool in ((number, tool) for number in range(SCRIPTS) for tool in CACHES):
            requirements = (*SHARED, *workshop.tiny(SCRIPTS)[number : number + 1])
            workshop.run(home.from_shebang(tool, f"disk-{number}", requirements, body))
        sizes.append(_sizes(home))
    rows = []
    for name in sizes[0]:
        cells = [name]
        for found in sizes:
            cells += [f"{found[name] / 1e6:.1f}", f"{found[name] / found['uv']:.2f}"]
        rows.append(cells)
    ratio = sizes[0]["scriptrun"] / sizes[0]["uv"]
    title = f"### Disk: {SCRIPTS} scripts that share {' and '.join(SHARED)}"
    verdict = report.judge("scriptrun's cache as a share of uv's:", ratio, OF_UV)
    return report.show(f"{title}\n\n{report.table(HEADINGS, rows)}\n- {verdict}\n")


def _sizes(home: Bench) -> dict[str, int]:
    """Return the bytes of what was measured."""
    own = {tool: home.tools[tool].home / cache for tool, cache in CACHES.items()}
    pips = home.tools["scriptrun"].home / PIPS
    return {
        **{tool: allocated([path]) for tool, path in own.items()},
        "scriptrun, and what pip keeps in its own cache": allocated([own["scriptrun"], pips]),
    }


def allocated(roots: Iterable[Path]) -> int:
    """Return the bytes that files and directories below these occupy; what has several names counts once."""
    found = {}
    for root in roots:
        for directory, _, names in os.walk(root):
            for path in (directory, *(os.path.join(directory, name) for name in names)):
                status = os.lstat(path)
                found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(found.values())
