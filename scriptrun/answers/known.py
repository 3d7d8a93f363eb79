"""What is known of pip's answer: to this very question, or from what it answered to others, or from a lock."""

from __future__ import annotations

import time

from scriptrun import markers
from scriptrun.answers import covering, exclusions, inherited, memory, projects, question
from scriptrun.answers.covering import Doubt, Known
from scriptrun.answers.projects import Project
from scriptrun.order import Described, Distribution, Installed, Order, Supply
from scriptrun.store import kept


def find(cache: str, order: Order) -> Supply:
    """Return what pip would answer to an order, as far as that is known. Raises InstallError and PolicyError."""
    return _answered(cache, order) or (_covered(cache, order) if order.pins is None else _locked(cache, order))


def _answered(cache: str, order: Order) -> Supply | None:
    """Return what pip answered to this very question, for this Python or another patch version of it."""
    own = memory.recall(cache, order)
    known = own or inherited.find(cache, order)
    if known is None or known.asked < _oldest(order.max_age):
        return None
    for one in known.distributions:
        if not kept.holds(cache, one.kept):
            reason = f"pip answered this question before, but `{one.name}` {one.version} is not kept any more"
            return Supply(None, reason)
    version = "" if own else f", for Python {known.version}"
    return Supply(known.distributions, f"pip answered this question {_moment(known.asked)}{version}", known.asked)


def _locked(cache: str, order: Order) -> Supply:
    from scriptrun.store import locked  # takes what is known of platforms along

    pinned = locked.find(cache, order)
    if pinned is None:
        return Supply(None, "not all that is locked is kept")
    return Supply(pinned, "all that is locked is kept", time.time())


def keep(cache: str, order: Order, installed: Installed, distributions: tuple[Distribution, ...]) -> None:
    """Keep what pip answered; the distributions are in the store now. Raises OSError.

    Answers that hold what pip has now seen to be yanked are none any more.
    """
    ground = question.ground(order) if installed.offers else ""
    memory.forget(cache, projects.taken_back(cache, ground, installed.offers))
    memory.remember(cache, order, distributions, installed.asked)
    projects.remember(cache, ground, installed.offers, distributions)


def _covered(cache: str, order: Order) -> Supply:
    """Return what pip's answers to other questions say."""
    excluded, bounds = exclusions.find(order), exclusions.constraints(order)
    if excluded or bounds is None:
        return Supply(None, excluded or "a constraint is more than a range of versions")
    ground, seen = question.ground(order), []

    def project(name: str) -> Project | None:
        found = projects.read(cache, ground, name)
        seen.append(found.asked if found else 0.0)
        return found

    def described(one: Distribution) -> Described | None:
        return kept.described(cache, one.kept)

    since = max(_oldest(order.answers_max_age), _oldest(order.max_age))
    try:
        asked = [one.requirement for one in order.asked]
        facts = markers.environment(order.spec.interpreter)
        found = covering.cover(asked, bounds, facts, Known(project, described, since))
    except Doubt as doubt:
        return Supply(None, str(doubt))
    asked_first = min(seen, default=time.time())
    return Supply(found, f"pip's answers to others cover it, since {_moment(asked_first)}", asked_first)


def _oldest(max_age: float) -> float:
    """Return the time before which an answer is too old."""
    return time.time() - max_age if max_age else 0.0


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
