"""Which environments have a recipe: those that pip would answer just the same for."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from scriptrun import paths, pip_settings, recipe
from scriptrun.answers import memory
from scriptrun.cache import Environment
from scriptrun.order import Distribution, Order
from scriptrun.recipe import Part, Recipe


def keep(cache: str, order: Order, environment: Environment) -> None:
    """Keep the recipe of an environment, if it has one, else forget what there was. What cannot be written is not."""
    path = paths.recipe(cache, order.spec.key)
    with contextlib.suppress(OSError, ValueError):
        if _is_plain(order) and _is_remembered(cache, order, environment):
            recipe.write(path, _recipe(cache, order, environment))
        else:
            paths.remove(path)


def _is_plain(order: Order) -> bool:
    """Tell whether nothing bears on the answer but what a recipe goes by: files, variables and the default Python."""
    interpreter = order.spec.interpreter
    return (
        sys.platform == "linux"
        and interpreter.implementation == "cpython"
        and interpreter.path == os.path.realpath(sys.executable)
        and os.path.isabs(order.environ.get("HOME", ""))
        and order.pins is None
        and not order.policy.places
        and not any(_names_files(name, text) for name, text in _settings(order).items())
    )


def _settings(order: Order) -> dict[str, str]:
    """Return pip's settings, none where pip is not asked."""
    return pip_settings.settings(order.environ) if order.spec.requirements else {}


def _names_files(name: str, text: str) -> bool:
    """Tell whether a setting of pip's names files, or what is one only in some directories."""
    of_places = name in recipe.BEARING and pip_settings.SETTINGS[name] == "urls"
    return name.endswith("constraint") or (of_places and any("://" not in word for word in text.split()))


def _is_remembered(cache: str, order: Order, environment: Environment) -> bool:
    """Tell whether the environment holds what pip answered to the same question."""
    held = tuple(Distribution(**one) for one in environment.manifest["distributions"])
    if not order.spec.requirements:
        return not held
    answer = memory.recall(cache, order)
    return answer is not None and answer.distributions == held


def _recipe(cache: str, order: Order, environment: Environment) -> Recipe:
    key, interpreter = order.spec.key, order.spec.interpreter
    files = [interpreter.path]
    if order.spec.requirements:
        files += [paths.pip_answer(cache, key), *pip_settings.files(order.environ)]
    return Recipe(
        paths.environments(cache, key),
        (interpreter.path, interpreter.version, "t" if interpreter.free_threaded else ""),
        _pieces(environment),
        [
            Part(one["kept"], one["direct"], requested=bool(one["requested"]))
            for one in environment.manifest["distributions"]
        ],
        ({path: recipe.marks(path) for path in files}, recipe.surroundings(order.environ)),
    )


def _pieces(environment: Environment) -> tuple[str, str, str]:
    """Return the text of the manifest around the name of the generation, and the time that it was made."""
    text = paths.read(paths.manifest(environment.path)).decode("ascii")
    place = json.dumps(environment.path)[1:-1]
    made = json.dumps(environment.manifest["created"])[1:-1]
    before, _, rest = text.partition(place)
    between, _, after = rest.partition(made)
    return before + place.removesuffix(os.path.basename(environment.path)), between, after
