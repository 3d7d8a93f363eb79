"""Where the distributions of an environment come from: the store, if what pip would answer is known, else pip."""

from __future__ import annotations

from typing import NamedTuple

from scriptrun.answers import memory
from scriptrun.order import Distribution, Order


class Supply(NamedTuple):
    """The distributions to put together (None: pip has to be asked), and why it is so, in words."""

    distributions: tuple[Distribution, ...] | None
    reason: str


def find(cache: str, order: Order) -> Supply:
    """Return where the distributions of an order come from."""
    if order.known is not None:
        return Supply(order.known, "it is known what was there")
    if order.ask or order.options.flag("refresh"):
        return Supply(None, "it is to be asked anew")
    known = memory.recall(cache, order)
    if known is not None:
        return Supply(known, "pip answered this question before")
    return Supply(None, "it was never asked this")
