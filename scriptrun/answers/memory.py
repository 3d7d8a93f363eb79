"""pip's answers on disk: which distributions an environment holds, by the environment's key."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable
from typing import NamedTuple

from scriptrun import paths, shape
from scriptrun.answers import question
from scriptrun.order import Distribution, Order

_FORMAT = 1

_SHAPE = {
    "format": int,
    "asked": (int, float),
    "version": str,
    "settings": str,
    "distributions": [{field: bool if field == "requested" else str for field in Distribution._fields}],
}


class Answer(NamedTuple):
    """What pip answered when it was `asked`, in seconds since the epoch, for which version of Python."""

    distributions: tuple[Distribution, ...]
    asked: float
    version: str = ""


def remember(cache: str, order: Order, distributions: Iterable[Distribution], asked: float) -> None:
    """Keep what pip answered when it was `asked`, unless a part of it is not in the store. Raises OSError."""
    distributions = tuple(distributions)
    answer = {
        "format": _FORMAT,
        "asked": asked,
        "version": order.spec.interpreter.version,
        "settings": question.settings(order),
        "distributions": [one._asdict() for one in distributions],
    }
    for key in (order.spec.key, question.family(order)):
        path = paths.pip_answer(cache, key)
        if all(one.kept for one in distributions):
            paths.make_directories(os.path.dirname(path))
            paths.replace(path, json.dumps(answer, separators=(",", ":")).encode("ascii"))
        else:
            paths.remove(path)


def recall(cache: str, order: Order) -> Answer | None:
    """Return what pip answered to the same question, None where that is not known, or from a time to come."""
    return _read(paths.pip_answer(cache, order.spec.key), order)


def inherit(cache: str, order: Order) -> Answer | None:
    """Return what pip answered to the question with whatever patch version of the interpreter last."""
    return _read(paths.pip_answer(cache, question.family(order)), order)


def _read(path: str, order: Order) -> Answer | None:
    try:
        answer = json.loads(paths.read(path))
        if not shape.fits(answer, _SHAPE) or answer["format"] != _FORMAT or answer["asked"] > time.time():
            return None
        if answer["settings"] != question.settings(order):
            return None
        distributions = tuple(Distribution(**one) for one in answer["distributions"])
        return Answer(distributions, answer["asked"], answer["version"])
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def forget(cache: str, taken_back: Collection[tuple[str, str]]) -> None:
    """Forget each answer that holds one of these distributions, by name and version. Raises OSError."""
    names = os.listdir(paths.pip_answers(cache)) if taken_back and os.path.isdir(paths.pip_answers(cache)) else ()
    for path in (os.path.join(paths.pip_answers(cache), name) for name in names):
        try:
            held = [(one["name"], one["version"]) for one in json.loads(paths.read(path))["distributions"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if any(one in taken_back for one in held):
            paths.remove(path)


def is_whole(path: str, names: Collection[str]) -> bool:
    """Tell whether all that the answer in a file names is among the names in the store; another version's is whole."""
    try:
        answer = json.loads(paths.read(path))
        return answer["format"] != _FORMAT or all(one["kept"] in names for one in answer["distributions"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
