"""Where the distributions of an environment come from: the store, if what pip would answer is known, else pip."""

from __future__ import annotations

from dataclasses import dataclass

from scriptrun.answers import inherited, memory
from scriptrun.order import Distribution, Order
from scriptrun.store import locked


@dataclass(frozen=True)
class Supply:
    """The distributions to put together (None: pip has to be asked), and why it is so, in words.

    What was answered to other questions is `covered` by these.
    """

    distributions: tuple[Distribution, ...] | None
    reason: str
    covered: bool = False


def find(cache: str, order: Order) -> Supply:
    """Return where the distributions of an order come from."""
    if order.known is not None:
        return Supply(order.known, "it is known what was there")
    if order.ask or order.options.flag("refresh"):
        return Supply(None, "it is to be asked anew")
    known = memory.recall(cache, order)
    if known is not None:
        return Supply(known, "pip answered this question before")
    before = inherited.find(cache, order)
    if before is not None:
        return Supply(before, "pip answered this question for another patch version of this Python", covered=True)
    pinned = locked.find(cache, order)
    if pinned is not None:
        return Supply(pinned, "all that is locked is kept", covered=True)
    return Supply(None, "it was never asked this")
