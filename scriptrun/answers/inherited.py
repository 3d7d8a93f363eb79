"""An answer that pip gave to the same question before the interpreter got a new patch version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from scriptrun import markers
from scriptrun.answers import memory
from scriptrun.answers.memory import Answer
from scriptrun.order import Order
from scriptrun.store import kept


def find(cache: str, order: Order) -> Answer | None:
    """Return what pip answered, if it would for this version too: each marker and Requires-Python says the same.

    What was built here was built for the other version: pip has to build it anew.
    """
    answer = memory.inherit(cache, order)
    if answer is None or not all(one.origin.partition("#")[0].endswith(".whl") for one in answer.distributions):
        return None
    found = [kept.find(cache, one.kept) for one in answer.distributions]
    facts = [one.facts for one in found if one is not None]
    interpreter = order.spec.interpreter
    try:
        fitting = all(SpecifierSet(one["requires_python"]).contains(interpreter.version) for one in facts)
        asked = [(one.requirement, frozenset[str]()) for one in (*order.asked, *order.constraints)]
        needed = [(Requirement(text), frozenset(one["extras"])) for one in facts for text in one["requires"]]
        before = _judged([*asked, *needed], markers.environment(interpreter._replace(version=answer.version)))
        same = list(before) == list(_judged([*asked, *needed], markers.environment(interpreter)))
    except (InvalidRequirement, InvalidSpecifier):
        return None
    return answer if len(facts) == len(answer.distributions) and fitting and same else None


def _judged(
    requirements: Iterable[tuple[Requirement, frozenset[str]]], surroundings: dict[str, str]
) -> Iterator[list[bool]]:
    """Yield of each requirement whether it counts, with none and with each of these extras."""
    for requirement, extras in requirements:
        yield [markers.hold(requirement, {**surroundings, "extra": extra}) for extra in ("", *sorted(extras))]
