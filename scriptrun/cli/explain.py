"""`scriptrun --explain SCRIPT`: say what a run would do, and why. Nothing is built and nothing is run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

from scriptrun import cache as caches
from scriptrun import launch, paths, resolve
from scriptrun.cli import env
from scriptrun.errors import escape
from scriptrun.request import Request
from scriptrun.resolve import Wanted


def main(request: Request, environ: Mapping[str, str]) -> int:
    """Print the explanation to stdout. Raises ScriptrunError."""
    started = time.perf_counter()
    wanted = resolve.resolve(request, environ)
    resolved = time.perf_counter()
    facts = env.describe(wanted)
    looked_up = time.perf_counter()
    block = request.block
    rows = [
        ("script", request.name),
        ("block", f"lines {block.first} to {block.last}" if block else "none: an environment without distributions"),
        ("python", f"{wanted.choice.interpreter}: {wanted.choice.reason}"),
        *(("requirement", f"{env.shown(str(one.requirement))} ({one.place})") for one in wanted.asked),
        *(
            ("option", f"{name} = {env.shown(str(value))}")
            for name, value in wanted.options.given()
            if name != "explain"
        ),
        ("key", facts["key"]),
        ("answer", _answer(wanted, ready=facts["ready"])),
        ("environment", facts["environment"] or "would be made"),
        *_differences(wanted),
        ("record", _record(wanted)),
        (
            "took",
            f"{(resolved - started) * 1e3:.1f} ms to understand the block and choose a Python, "
            f"{(looked_up - resolved) * 1e3:.1f} ms to look up the environment",
        ),
    ]
    sys.stdout.write("".join(f"{name + ':':<13}{escape(text)}\n" for name, text in rows))
    return 0


def _answer(wanted: Wanted, *, ready: bool) -> str:
    if wanted.options.flag("isolated"):
        return "miss: --isolated always builds an environment"
    if wanted.options.flag("refresh"):
        return "miss: --refresh builds anew"
    return "hit: the environment is ready" if ready else "miss: pip would be asked"


def _record(wanted: Wanted) -> str:
    if not wanted.provable or not wanted.request.clean:
        return "none: something else than the script's first lines has a part in the answer"
    source = wanted.request.source
    if source is None or not source.file or launch.head(source.content, wanted.request.block) is None:
        return "none: the block is too far down, or the program is not a file"
    return "the launcher can answer by itself, once the script was run"


def _differences(wanted: Wanted) -> list[tuple[str, str]]:
    """Return what is asked differently than for the environment that the script was last started in."""
    request = wanted.request
    path = paths.record(request.cache, request.source.file) if request.source and request.source.file else ""
    earlier = launch.recorded(path)
    manifest = caches.read_manifest(earlier) if earlier else None
    if manifest is None or manifest["key"] == wanted.spec.key:
        return []
    before, after = manifest["asked"], json.loads(json.dumps(asdict(wanted.spec)))
    rows = []
    for field in sorted(after):
        old, new = before.get(field), after[field]
        if isinstance(old, list) and isinstance(new, list):
            rows += [("since then", f"- {field}: {env.shown(str(one))}") for one in old if one not in new]
            rows += [("since then", f"+ {field}: {env.shown(str(one))}") for one in new if one not in old]
        elif isinstance(old, dict) and isinstance(new, dict):
            names = [name for name in new if old.get(name) != new[name]]
            rows += [("since then", f"{field} {name}: {old.get(name)} -> {new[name]}") for name in names]
    return [("last run in", earlier or ""), *rows]
