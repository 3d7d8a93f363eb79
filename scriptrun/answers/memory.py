"""pip's answers on disk: which distributions an environment holds, by the environment's key."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, fields

from scriptrun import paths, shape
from scriptrun.answers import question
from scriptrun.order import Distribution, Order

_FORMAT = 1

_SHAPE = {
    "format": int,
    "version": str,
    "settings": str,
    "distributions": [{one.name: bool if one.name == "requested" else str for one in fields(Distribution)}],
}


def remember(cache: str, order: Order, distributions: Iterable[Distribution]) -> None:
    """Keep what pip answered, unless a part of it is not in the store. Raises OSError."""
    distributions = tuple(distributions)
    answer = {
        "format": _FORMAT,
        "asked": int(time.time()),
        "version": order.spec.interpreter.version,
        "settings": question.settings(order),
        "distributions": [asdict(one) for one in distributions],
    }
    for key in (order.spec.key, question.family(order)):
        path = paths.pip_answer(cache, key)
        if all(one.kept for one in distributions):
            paths.make_directories(os.path.dirname(path))
            paths.replace(path, json.dumps(answer, separators=(",", ":")).encode("ascii"))
        else:
            paths.remove(path)


def recall(cache: str, order: Order) -> tuple[Distribution, ...] | None:
    """Return what pip answered to the same question, None where that is not known."""
    return _read(paths.pip_answer(cache, order.spec.key), order)[1]


def inherit(cache: str, order: Order) -> tuple[str, tuple[Distribution, ...]]:
    """Return what pip answered to the question with whatever patch version of the interpreter last, and that version.

    The version is `""` where that is not known.
    """
    version, distributions = _read(paths.pip_answer(cache, question.family(order)), order)
    return (version, distributions) if distributions is not None else ("", ())


def _read(path: str, order: Order) -> tuple[str, tuple[Distribution, ...] | None]:
    """Return version of Python and distributions of an answer, the latter None where it is none to this question."""
    try:
        answer = json.loads(paths.read(path))
        if (
            not shape.fits(answer, _SHAPE)
            or answer["format"] != _FORMAT
            or answer["settings"] != question.settings(order)
        ):
            return "", None
        return answer["version"], tuple(Distribution(**one) for one in answer["distributions"])
    except (OSError, ValueError, TypeError, RecursionError):
        return "", None


def is_whole(path: str, names: Collection[str]) -> bool:
    """Tell whether all that the answer in a file names is among the names in the store; another version's is whole."""
    try:
        answer = json.loads(paths.read(path))
        return answer["format"] != _FORMAT or all(one["kept"] in names for one in answer["distributions"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
