"""`scriptrun --explain SCRIPT`: say what a run would do, and why. Nothing is built and nothing is run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import pairwise

from scriptrun import cache as caches
from scriptrun import expiry, launch, output, overlap, paths, resolve, supply
from scriptrun.cli import env
from scriptrun.errors import escape, without_credentials
from scriptrun.request import Request
from scriptrun.resolve import Wanted


def main(request: Request, environ: Mapping[str, str]) -> int:
    """Print the explanation to stdout. Raises ScriptrunError."""
    times = [("", time.perf_counter())]

    def done(step: str) -> None:
        times.append((step, time.perf_counter()))

    wanted = resolve.resolve(request, environ, done)
    facts = env.describe(wanted)
    done("look up the environment")
    rows = [
        *_inputs(wanted),
        ("key", facts["key"]),
        ("answer", _answer(wanted, environ)),
        ("environment", facts["environment"] or "would be made"),
        *_differences(wanted),
        *([("overlap", _overlap(wanted))] if wanted.overlap is not None else []),
        ("record", _record(wanted)),
        *(("took", f"{(end - start) * 1e3:6.2f} ms to {step}") for (_, start), (step, end) in pairwise(times)),
    ]
    output.give("".join(f"{name + ':':<13}{escape(text)}\n" for name, text in rows))
    return 0


def _inputs(wanted: Wanted) -> list[tuple[str, str]]:
    """Return what decides which environment it is, and where each part of it stands."""
    block = wanted.request.block
    options = [pair for pair in wanted.options.given() if pair[0] != "explain"]
    return [
        ("script", wanted.request.name),
        ("block", f"lines {block.first} to {block.last}" if block else "none: an environment without distributions"),
        ("python", f"{wanted.choice.interpreter}: {wanted.choice.reason}"),
        *([("lock", f"{wanted.lock.file}, for {wanted.lock.target}")] if wanted.lock else []),
        *(("requirement", f"{without_credentials(str(one.requirement))} ({one.place})") for one in wanted.asked),
        *(("option", f"{name} = {without_credentials(_value(value))}") for name, value in options),
        *(("policy", f"{key} ({place})") for key, place in wanted.configuration.policy.places.items()),
    ]


def _value(value: object) -> str:
    """Return a value of an option as a user writes it."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _answer(wanted: Wanted, environ: Mapping[str, str]) -> str:
    """Return whether there is an environment, and else where what is in it would come from, and why."""
    if wanted.options.flag("refresh"):
        return "miss: --refresh builds anew, and asks pip"
    if wanted.options.flag("isolated"):
        return f"miss: --isolated always builds an environment; {_supply(wanted, environ, due=False)}"
    environment = wanted.environment()
    due = environment is not None and expiry.is_due(environment, wanted.max_age)
    if environment is not None and (not due or wanted.options.flag("offline")):
        return "hit: the environment is ready"
    return f"miss: {_supply(wanted, environ, due=due)}"


def _supply(wanted: Wanted, environ: Mapping[str, str], *, due: bool) -> str:
    if not wanted.spec.requirements:
        return "an empty environment would be made"
    order = wanted.order(environ, lambda _: None)._replace(ask=due)
    found = supply.find(wanted.request.caches.own, order)
    if found.distributions is not None:
        return f"pip would not be asked: {found.reason}"
    if wanted.options.flag("offline"):
        return f"pip would have to be asked, which --offline forbids: {found.reason}"
    return f"pip would be asked: {found.reason}"


def _overlap(wanted: Wanted) -> str:
    running = overlap.seen(wanted.request)
    return f"it {running}: " * bool(running) + f"a second start ends at once, with status {wanted.overlap}"


def _record(wanted: Wanted) -> str:
    request = wanted.request
    if any(name != "explain" for name, _ in request.invocation.options.given()):
        return "none: a run with options is for Python to decide, which remembers the answer"
    if not wanted.provable or request.misses:
        reason = "something else than the script's first lines has a part in the answer"
        return f"none: {'Python takes the lock against a second start' if wanted.overlap is not None else reason}"
    if request.source is None or not request.source.file or launch.head(request.source.content, request.block) is None:
        return "none: the block is too far down, or the program is not a file"
    environment = wanted.environment()
    recorded = launch.recorded(paths.record(request.caches.own, request.source.file))
    if environment is None or recorded != environment.path:
        return "none yet: a run writes it, and from then on the launcher starts the script by itself"
    return "the launcher starts the script by itself, without deciding anew"


def _differences(wanted: Wanted) -> list[tuple[str, str]]:
    """Return what is asked differently than for the environment that the script was last started in."""
    request = wanted.request
    path = paths.record(request.caches.own, request.source.file) if request.source and request.source.file else ""
    earlier = launch.recorded(path)
    manifest = caches.read_manifest(earlier) if earlier else None
    if manifest is None or manifest["key"] == wanted.spec.key:
        return []
    before, after = manifest["asked"], json.loads(json.dumps(wanted.spec.facts))
    rows = []
    for field in sorted(after):
        old, new = before.get(field), after[field]
        if isinstance(old, list) and isinstance(new, list):
            rows += [("since then", f"- {field}: {without_credentials(str(one))}") for one in old if one not in new]
            rows += [("since then", f"+ {field}: {without_credentials(str(one))}") for one in new if one not in old]
        elif isinstance(old, dict) and isinstance(new, dict):
            names = [name for name in new if old.get(name) != new[name]]
            rows += [("since then", f"{field} {name}: {old.get(name)} -> {new[name]}") for name in names]
    return [("last run in", earlier or ""), *rows]
