"""Where the distributions of an environment come from: the store, if what pip would answer is known, else pip."""

from __future__ import annotations

import time
from typing import NamedTuple

from scriptrun import markers
from scriptrun.answers import covering, exclusions, inherited, memory, projects, question
from scriptrun.answers.covering import Doubt, Known
from scriptrun.answers.projects import Project
from scriptrun.order import Described, Distribution, Installed, Order
from scriptrun.store import kept


class Supply(NamedTuple):
    """The distributions to put together (None: pip has to be asked), and why it is so, in words.

    `asked` is when pip said so. What was answered to other questions is `covered` by these.
    """

    distributions: tuple[Distribution, ...] | None
    reason: str
    asked: float = 0.0
    covered: bool = False


def find(cache: str, order: Order) -> Supply:
    """Return where the distributions of an order come from. Raises InstallError and PolicyError."""
    if order.known is not None:
        return Supply(order.known, "it is known what was there", time.time())
    if order.options.flag("refresh"):
        return Supply(None, "--refresh asks it anew")
    if order.ask:
        return Supply(None, "what it answered is older than `max-age`")
    return _answered(cache, order) or (_covered(cache, order) if order.pins is None else _locked(cache, order))


def _answered(cache: str, order: Order) -> Supply | None:
    """Return what pip answered to this very question, for this Python or another patch version of it."""
    known = memory.recall(cache, order)
    if known is not None and known.asked >= _oldest(order.max_age):
        return Supply(known.distributions, f"pip answered this question {_moment(known.asked)}", known.asked)
    known = inherited.find(cache, order)
    if known is not None and known.asked >= _oldest(order.max_age):
        reason = f"pip answered this question {_moment(known.asked)}, for Python {known.version}"
        return Supply(known.distributions, reason, known.asked, covered=True)
    return None


def _locked(cache: str, order: Order) -> Supply:
    from scriptrun.store import locked  # takes what is known of platforms along

    pinned = locked.find(cache, order)
    if pinned is None:
        return Supply(None, "not all that is locked is kept")
    return Supply(pinned, "all that is locked is kept", time.time(), covered=True)


def keep(cache: str, order: Order, installed: Installed, distributions: tuple[Distribution, ...]) -> None:
    """Keep what pip answered; the distributions are in the store now. Raises OSError."""
    memory.remember(cache, order, distributions, installed.asked)
    if installed.listings:
        projects.remember(cache, question.ground(order), installed.listings, distributions)


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
    return Supply(found, f"pip's answers to others cover it, since {_moment(asked_first)}", asked_first, covered=True)


def _oldest(max_age: float) -> float:
    """Return the time before which an answer is too old."""
    return time.time() - max_age if max_age else 0.0


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
