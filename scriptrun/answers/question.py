"""What bears on pip's answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from scriptrun import pip_options, recipe
from scriptrun.errors import without_credentials
from scriptrun.order import Order

_FILES = ("constraint", "build-constraint")


def settings(order: Order) -> str:
    """Return a digest of pip's settings that bear on its answer, wherever they stand. Raises PolicyError."""
    found = pip_options.variables(order)
    said = {name: found.get(f"PIP_{name.upper().replace('-', '_')}", "") for name in recipe.BEARING}
    files = [list(_contents(said[name])) for name in _FILES]
    return _digest([{name: without_credentials(text) for name, text in said.items()}, files])


def family(order: Order) -> str:
    """Return the key that the environment would have, were there no patch versions of interpreters."""
    interpreter = order.spec.interpreter
    short = ".".join(interpreter.version.split(".")[:2])
    return order.spec._replace(interpreter=interpreter._replace(version=short)).key


def ground(order: Order) -> str:
    """Return a digest of all that bears on pip's answer beside what is asked for. Raises PolicyError."""
    wanted = order.spec.facts
    return _digest([wanted["interpreter"], wanted["constraints"], wanted["resolution"], settings(order)])


def _contents(places: str) -> Iterator[str]:
    """Yield what the files hold that a setting names; those at URLs are not looked at."""
    for path in places.split():
        if "://" not in path:
            try:
                with open(path, "rb") as file:
                    yield hashlib.sha256(file.read()).hexdigest()
            except OSError:
                yield ""


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
