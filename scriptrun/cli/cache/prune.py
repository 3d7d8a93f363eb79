"""`scriptrun cache prune`: remove what is outside the cache's bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from scriptrun import config, location, output, quantities
from scriptrun.arguments import Invocation, Options
from scriptrun.cli.progress import Progress
from scriptrun.errors import CacheError, UsageError, escape
from scriptrun.upkeep import housekeeping, removal
from scriptrun.upkeep.holdings import Holdings
from scriptrun.upkeep.housekeeping import Bounds, Plan
from scriptrun.upkeep.removal import Outcome

T = TypeVar("T")

_WAITING = "waiting for another removal"


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove environments, or list what would go, and say so on stdout. Raises ScriptrunError."""
    bounds, grace = _bounds(invocation.extra, environ), given_grace(invocation.extra)
    cache = location.open_cache(environ)[0]
    if "--dry-run" in invocation.extra:
        output.give(_announced(housekeeping.plan(cache, bounds, grace)))
        return 0
    output.give(told(alone(cache, invocation.options, lambda: housekeeping.prune(cache, bounds, grace))))
    return 0


def alone(cache: str, options: Options, work: Callable[[], Outcome]) -> Outcome:
    """Do `work` when nobody else removes from the cache. Raises CacheError."""
    with Progress(options) as progress, removal.alone(cache, lambda: progress.show(_WAITING)) as ours:
        if not ours:
            raise CacheError(
                f"nothing can be removed from `{cache}`: locks do not work there", hint="remove it when nothing runs"
            )
        return work()


def given_grace(extra: Mapping[str, str]) -> float:
    """Return what `--grace` says, in seconds. Raises UsageError."""
    text = extra.get("--grace")
    if text is None:
        return housekeeping.GRACE
    seconds = f"{text}s" if text.strip()[-1:].isdigit() else text
    return _read(quantities.seconds, seconds, UsageError(f"`--grace {text}` is no time", hint="--grace 60: in seconds"))


def _bounds(extra: Mapping[str, str], environ: Mapping[str, str]) -> Bounds | None:
    idle, size = extra.get("--older-than"), extra.get("--max-size")
    if "--all" in extra:
        if idle is not None or size is not None:
            raise UsageError("`--all` removes whatever the age and size", hint="leave out the one or the other")
        return None
    configuration = config.read(environ)
    max_idle, max_size = configuration.max_idle, configuration.max_size
    if idle is not None:
        wrong = UsageError(f"`--older-than {idle}` is no span of time", hint="--older-than 30d")
        max_idle = _read(quantities.seconds, idle, wrong)
    if size is not None:
        wrong = UsageError(f"`--max-size {size}` is no amount of bytes", hint="--max-size 2G")
        max_size = _read(quantities.octets, size, wrong)
    return Bounds(max_idle, max_size, max_known=max(housekeeping.WEEK, configuration.answers_max_age))


def _read(read: Callable[[str], T], text: str, wrong: UsageError) -> T:
    try:
        return read(text)
    except ValueError:
        raise wrong from None


def told(outcome: Outcome) -> str:
    """Return what was done, on a line."""
    line = f"removed {_environments(len(outcome.removed))}, {quantities.shown_octets(outcome.freed)} freed"
    return f"{line}{_kept(list(outcome.kept.values()))}\n"


def _announced(plan: Plan) -> str:
    """Return what would go, a line each; what several share counts for the last of them."""
    holdings = Holdings(plan.entries, plan.distributions)
    freed = [holdings.release(entry) for entry, _ in plan.going]
    lines = [
        f"would remove {escape(entry.path)} ({quantities.shown_octets(room)}){reason and ': ' + reason}\n"
        for (entry, reason), room in zip(plan.going, freed, strict=True)
    ]
    lost = sum(plan.distributions[name].taken for name in plan.lost)
    if plan.lost:
        number = f"{len(plan.lost)} distribution{'' if len(plan.lost) == 1 else 's'}"
        lines.append(f"would remove {number} that no environment holds ({quantities.shown_octets(lost)})\n")
    room = quantities.shown_octets(sum(freed) + lost)
    total = f"would remove {_environments(len(plan.going))}, {room}{_kept([reason for _, reason in plan.staying])}\n"
    return "".join([*lines, total])


def _environments(number: int) -> str:
    return f"{number} environment{'' if number == 1 else 's'}"


def _kept(reasons: list[str]) -> str:
    """Return how many were kept, and why: each reason with its number."""
    if not reasons:
        return ""
    shown = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted(set(reasons)))
    return f"; kept {len(reasons)}: {shown}"
