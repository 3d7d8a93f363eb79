"""Where the distributions of an environment come from: the store, if what pip would answer is known, else pip."""

from __future__ import annotations

from scriptrun.order import Order, Supply


def find(cache: str, order: Order) -> Supply:
    """Return where the distributions of an order come from. Raises InstallError and PolicyError."""
    if order.former is not None:
        reason = "it is what was there" if order.former.distributions is not None else "what was there is not all kept"
        return Supply(order.former.distributions, reason, order.former.asked)
    if order.options.flag("refresh"):
        return Supply(None, "--refresh asks it anew")
    if order.ask:
        return Supply(None, "what pip answered is older than `max-age`")
    from scriptrun.answers import known  # with all that is known of versions and markers

    return known.find(cache, order)
