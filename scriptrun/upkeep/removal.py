"""Remove environments: never one in use, and never waiting for those who use one.

A launch and a removal each leave a sign and then look for the other's, so that whoever comes second sees the first: who
starts in an environment touches its stamp and then looks for the mark `condemned`; who removes makes the mark and then
looks for stamps, locks and processes. Race by race: "Removal" in `docs/architecture.md`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scriptrun import cache as caches
from scriptrun import generations, locks, paths, signals
from scriptrun.upkeep import trash, usage

BATCH = 100
"""How many environments are condemned at a time: the mark keeps launches waiting for a moment."""

LANDING = 1.0
"""How long a launcher may take to become the script, in seconds, before the removal is given up in its favour."""

IN_USE = "in use"
JUST_USED = "just used"
BEING_PREPARED = "being prepared"
ABOUT_TO_BE_USED = "a launch is under way"


@dataclass
class Outcome:
    """What became of environments that were to go: removed ones, kept ones each with the reason, and bytes freed."""

    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    freed: int = 0


@contextlib.contextmanager
def alone(cache: str, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
    """Be the only one who removes from this cache; yield False if not, see `locks.take`. Raises CacheError."""
    with caches.hold(cache, paths.removal(cache), waiting) as held:
        yield held


def remove(cache: str, environments: Sequence[str], grace: float) -> Outcome:
    """Remove environments, given by path, unless they are in use or were less than `grace` seconds ago.

    The caller is alone. An interruption leaves each of them as it was, or where the next removal takes it: in the
    trash, which is emptied also of what earlier removals left there.
    """
    outcome = Outcome(freed=trash.empty(cache))
    for start in range(0, len(environments), BATCH):
        with signals.unstoppable():
            _remove_some(cache, environments[start : start + BATCH], grace, outcome)
        outcome.freed += trash.empty(cache)
    return outcome


def _remove_some(cache: str, environments: Sequence[str], grace: float, outcome: Outcome) -> None:
    """Move those of the environments that nobody uses to the trash."""
    with contextlib.ExitStack() as held:
        condemned = _condemn(cache, environments, held, outcome)
        last_uses = {}
        for environment in condemned:
            last_uses[environment] = last_use(environment)
            if young(environment, grace):
                outcome.kept[environment] = JUST_USED
            elif _is_entered(environment):
                outcome.kept[environment] = ABOUT_TO_BE_USED
        outcome.kept.update(_seen_in_use(cache, [one for one in condemned if one not in outcome.kept]))
        for environment in condemned:
            if environment not in outcome.kept:
                _withdraw(cache, environment, last_uses[environment], outcome)


def _condemn(cache: str, environments: Sequence[str], held: contextlib.ExitStack, outcome: Outcome) -> list[str]:
    """Mark those of the environments that nobody prepares; `held` keeps their keys locked, and takes marks back."""
    ours: dict[str, bool] = {}
    condemned = []
    for environment in environments:
        key = _key(environment)
        try:
            if key not in ours:
                ours[key] = held.enter_context(locks.hold(paths.lock(cache, key)))
            if not ours[key]:
                outcome.kept[environment] = BEING_PREPARED
                continue
            held.callback(_unmark, cache, environment)
            _mark(environment)
            condemned.append(environment)
        except FileNotFoundError:  # it has gone
            pass
        except OSError as error:
            outcome.kept[environment] = error.strerror or str(error)
    return condemned


def _mark(environment: str) -> None:
    """Let nobody start in an environment any more. Raises OSError."""
    mark = paths.condemned(environment)
    paths.remove(mark)  # what is there may be a link to nowhere, which is none
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def reprieve(cache: str, environment: str) -> None:
    """Take the mark back from an environment, unless somebody prepares another one. The caller is alone."""
    with locks.hold(paths.lock(cache, _key(environment))) as ours:
        if ours:
            _unmark(cache, environment)


def _unmark(cache: str, environment: str) -> None:
    """Take the mark back from an environment that is still there, unless it was replaced: that mark is for good."""
    if _is_current(cache, environment):
        with contextlib.suppress(OSError):
            paths.remove(paths.condemned(environment))


def _is_current(cache: str, environment: str) -> bool:
    return generations.current(cache, _key(environment)) == os.path.basename(environment)


def _key(environment: str) -> str:
    return os.path.basename(os.path.dirname(environment))


def last_use(environment: str) -> float | None:
    """Return the time of the last use of an environment, None where nothing tells it."""
    try:
        return os.lstat(paths.stamp(environment)).st_mtime
    except OSError:
        return None


def young(environment: str, grace: float) -> bool:
    """Tell whether the last use was less than `grace` seconds ago; one that is yet to come is now."""
    used = last_use(environment)
    return used is not None and max(0.0, time.time() - used) < grace


def _is_entered(environment: str) -> bool:
    """Tell whether a process of scriptrun holds the stamp: it is about to become a script in this environment."""
    try:
        import fcntl

        descriptor = os.open(paths.stamp(environment), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _seen_in_use(cache: str, environments: Sequence[str]) -> dict[str, str]:
    """Return those of the condemned environments that have to stay, each with the reason.

    Launchers that were under way when the marks were made may have passed them: where they land is seen by a second
    look. Those that come later see the marks.
    """
    if not environments:
        return {}
    sight = usage.look()
    launchers = [one for one in sight.launchers if usage.may_enter(one, cache)]
    if launchers:
        if not usage.await_landing(launchers, LANDING):
            return dict.fromkeys(environments, ABOUT_TO_BE_USED)
        earlier, sight = sight, usage.look()
        sight = usage.Sight(earlier.places | sight.places, sight.launchers)
    return {environment: IN_USE for environment in environments if sight.uses(environment)}


def _withdraw(cache: str, environment: str, used: float | None, outcome: Outcome) -> None:
    """Move an environment to the trash, and back again if its stamp was touched while nobody was seen."""
    was_current = _is_current(cache, environment)
    try:
        if was_current:
            os.unlink(paths.pointer(cache, _key(environment)))
        path = trash.put(cache, environment)
    except OSError as error:
        outcome.kept[environment] = error.strerror or str(error)
    else:
        if last_use(path) == used:
            outcome.removed.append(environment)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(environment))  # unless something is in it
            return
        outcome.kept[environment] = JUST_USED
        os.rename(path, environment)
    if was_current:
        paths.replace(paths.pointer(cache, _key(environment)), f"{os.path.basename(environment)}\n".encode("ascii"))
