"""For which orders pip's answers to other questions do not count, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from scriptrun import pip_options, pip_settings, spec
from scriptrun.order import Order

_ANOTHER_CHOICE = {
    "pre": "pre-releases are wanted",
    "all-releases": "pre-releases are wanted",
    "prefer-binary": "wheels are preferred to newer versions",
    "constraint": "pip's own settings name constraints",
    "use-deprecated": "another resolver of pip's is wanted",
}
"""The settings of pip under which it does not simply choose the newest version that is allowed."""


def find(order: Order) -> str:
    """Return why the answers to other questions do not count for this one, in words, `""` if they do."""
    return next(_reasons(order), "")


def _reasons(order: Order) -> Iterator[str]:
    if not order.answers_max_age:
        yield "`answers.max-age` is 0"
    if order.pins is not None:
        yield "what is locked is a question of its own"
    if order.spec.fingerprints or order.spec.editable:
        yield "a local project is asked for"
    said = pip_settings.settings(order.environ)
    for name, reason in _ANOTHER_CHOICE.items():
        if said.get(name) or (name == "pre" and order.options.flag(name)):
            yield reason
    if any(spec.is_local(place) for place in _places(order)):
        yield "pip looks into a directory of this machine"
    latest = order.options.value("exclude-newer") or said.get("uploaded-prior-to", "")
    if order.policy.cooldown or (latest and not _is_fixed(latest)):
        yield "what counts as uploaded too late moves with the clock"


def constraints(order: Order) -> list[Requirement] | None:
    """Return all constraints, None where they are not all requirements."""
    try:
        return [Requirement(line) for line in order.spec.constraints]
    except InvalidRequirement:
        return None


def _places(order: Order) -> list[str]:
    """Return all places that pip may ask."""
    routes = [url.removeprefix("flat+") for _, url in order.routes]
    return [*(url for _, url in pip_options.places(order)), *routes]


def _is_fixed(text: str) -> bool:
    """Tell whether a moment is the same whenever it is read."""
    import datetime as dt  # most often, no moment is set

    from scriptrun import moments

    try:
        return isinstance(moments.read(text), dt.datetime)
    except ValueError:
        return False
