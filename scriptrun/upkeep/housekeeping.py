"""Keep a cache in bounds: what is to go, and in which order.

Environments whose scripts are gone and those that nobody used for long go; then the least recently used, until the rest
is small enough. With an environment go those of its distributions in the store that no other holds.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scriptrun import paths
from scriptrun.extent import Extent
from scriptrun.upkeep import distributions, gleaning, inventory, programs, removal, tidying, usage
from scriptrun.upkeep.holdings import Holdings
from scriptrun.upkeep.inventory import Entry
from scriptrun.upkeep.removal import Outcome

GRACE = 60.0
"""For how many seconds after its last use an environment stays, unless the command line says otherwise."""

WEEK = 7 * 86400.0


@dataclass(frozen=True)
class Bounds:
    """How long environments may be idle, in seconds, and how much room they may take, in bytes (None: no limit).

    Those whose scripts are gone may be idle for `max_orphaned` seconds: one may come back, with a disk or a branch. So
    may distributions that no environment holds: somebody removed theirs by hand. What pip found of projects is kept for
    `max_known` seconds.
    """

    max_idle: float
    max_size: int | None
    max_orphaned: float = 0.0
    max_known: float = WEEK


@dataclass(frozen=True)
class Plan:
    """What is to go, and what would be if it were not used, each with the reason; and all there is.

    `lost` are the distributions, by name, that go though none of these environments held them.
    """

    going: tuple[tuple[Entry, str], ...]
    staying: tuple[tuple[Entry, str], ...]
    entries: tuple[Entry, ...]
    distributions: Mapping[str, Extent]
    lost: tuple[str, ...]


def plan(cache: str, bounds: Bounds | None, grace: float) -> Plan:
    """Return what the bounds (None: everything is to go) come to now. Nothing is changed."""
    sight = usage.look()

    def spared(entry: Entry) -> str:
        if sight.uses(entry.path):
            return removal.IN_USE
        return removal.JUST_USED if entry.complete and removal.young(entry.path, grace) else ""

    entries, kept = inventory.entries(cache), inventory.distributions(cache)
    asked = [(entry, "") for entry in entries] if bounds is None else list(_over(entries, kept, bounds, spared))
    return Plan(
        going=tuple((entry, reason) for entry, reason in asked if not spared(entry)),
        staying=tuple((entry, spared(entry)) for entry, _ in asked if spared(entry)),
        entries=tuple(entries),
        distributions=kept,
        lost=tuple(distributions.lost(cache, kept, Holdings(entries, kept).held, _patience(bounds, grace))),
    )


def _patience(bounds: Bounds | None, grace: float) -> float:
    """Return for how many seconds a distribution may stay that no environment holds."""
    return max(grace, bounds.max_orphaned) if bounds is not None else grace


def _over(
    entries: Sequence[Entry], kept: Mapping[str, Extent], bounds: Bounds, spared: Callable[[Entry], str]
) -> Iterator[tuple[Entry, str]]:
    """Yield what is outside the bounds, each with the reason, in the order in which it is to go."""
    now = time.time()
    rest = []
    for entry in sorted(entries, key=lambda entry: entry.last_used):
        reason = _reason(entry, bounds, now)
        if reason:
            yield entry, reason
        if not reason or spared(entry):
            rest.append(entry)
    holdings = Holdings(rest, kept)
    for entry in rest:
        if bounds.max_size is None or holdings.taken <= bounds.max_size:
            break
        if not _reason(entry, bounds, now):
            yield entry, "used less recently than others, which take all the room there is"
            if not spared(entry):
                holdings.release(entry)


def _reason(entry: Entry, bounds: Bounds, now: float) -> str:
    """Return why an environment is to go, whatever the room that all take; `""` where nothing speaks against it."""
    if not entry.complete:
        return "left unfinished"
    if not entry.current:
        return "replaced by a newer one"
    idle = now - entry.last_used
    if idle >= bounds.max_orphaned and entry.orphaned:
        return "its scripts are gone" if len(entry.scripts) > 1 else "its script is gone"
    return f"not used for {int(idle / 86400)} days" if idle > bounds.max_idle else ""


def prune(cache: str, bounds: Bounds | None, grace: float) -> Outcome:
    """Remove what is outside the bounds, and then what serves nothing without it.

    Byte code that the rest has is taken over then, unless all was to go. The caller is alone, see `removal.alone`.
    """
    what = plan(cache, bounds, grace)
    _mend(cache, what.entries)
    outcome = removal.remove(cache, [entry.path for entry, _ in what.going], grace)
    outcome.kept.update({entry.path: reason for entry, reason in what.staying})
    removed = set(outcome.removed)
    released = {name for entry in what.entries if entry.path in removed for name in entry.kept}
    outcome.freed += distributions.remove(cache, released, _patience(bounds, grace), grace)
    if bounds is not None:
        gleaning.glean(cache, [entry for entry in what.entries if entry.path not in removed])
    orphans = {entry.path for entry in what.entries if entry.orphaned}
    outcome.freed += tidying.tidy(cache, orphans | outcome.kept.keys(), bounds.max_known if bounds else grace)
    outcome.freed += programs.remove(cache, max(grace, bounds.max_idle) if bounds else grace)
    return outcome


def _mend(cache: str, entries: Sequence[Entry]) -> None:
    """Take back marks that killed removals left, and set times to come to the present: the clock was wrong then."""
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.last_used > time.time():
                os.utime(paths.stamp(entry.path), follow_symlinks=False)
            if entry.current and os.path.lexists(paths.condemned(entry.path)):
                removal.reprieve(cache, entry.path)


def clear(cache: str, grace: float) -> Outcome:
    """Remove all that is not in use, and all that is remembered. The caller is alone, see `removal.alone`."""
    outcome = prune(cache, None, grace)
    outcome.freed += tidying.forget(cache)
    return outcome
