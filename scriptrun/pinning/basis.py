"""What a lock is made from: what it says of that is compared with the script, each time that it is used."""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from scriptrun import spec
from scriptrun.errors import without_credentials
from scriptrun.interpreter import Interpreter
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.policy import Policy
from scriptrun.sources import Source


@dataclass(frozen=True)
class Basis:
    """What the block of a script asks for: canonical requirements and constraints, requires-python, options.

    `options` are those of the block that change what pip answers, as JSON would have them. Paths below the directory of
    the script begin with `./`, so that a directory can be moved to another machine; URLs carry no credentials.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    requires_python: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """What a lock is for: a minor version of Python (`3.12`, `3.13t`), an implementation, and a platform.

    `script` is the name of the file that it was made for, which may have been renamed with its lock.
    """

    python: str
    implementation: str
    platform: str
    script: str = field(default="", compare=False)

    def __str__(self) -> str:
        """Return how it is named in messages."""
        return f"{self.implementation} {self.python} on {self.platform}"

    @property
    def request(self) -> str:
        """How such a Python is asked for with `--python`."""
        return self.python if self.implementation == "cpython" else f"{self.implementation}{self.python}"


def asked(script: ScriptMetadata) -> tuple[Asked, ...]:
    """Return what a lock of the script covers: what its block asks for. Raises MetadataError and UsageError."""
    return spec.collect(script, script.options)


def _declared(script: ScriptMetadata) -> tuple[Asked, ...]:
    """Return the same as it is written, whichever sources count for a Python."""
    return asked(script._replace(dependencies=script.declared))


def of(script: ScriptMetadata, directory: str) -> Basis:
    """Return what a lock of `script`, a file in `directory`, is made from. Raises MetadataError and UsageError."""
    wanted = _declared(script)
    resolution = spec.resolution(script._replace(routes=()), script.options, Policy())._asdict()
    sources = {name: [_source(one) for one in found] for name, found in sorted(script.sources.items())}
    options = {name: value for name, value in {**resolution, "sources": sources}.items() if value}
    movable = _Movable(directory)
    return Basis(
        requirements=movable.texts(without_credentials(one) for one in spec.requirements(wanted)),
        constraints=movable.texts(spec.constraints(script, script.options)),
        requires_python=str(script.requires_python),
        options=movable.value(json.loads(json.dumps(options))),
    )


def _source(source: Source) -> dict[str, Any]:
    """Return what a source says, without the place where it says so, and without credentials."""
    said = {
        "url": without_credentials(source.url),
        "editable": source.editable,
        "index": without_credentials(source.index),
        "marker": str(source.marker or ""),
    }
    return {name: value for name, value in said.items() if value}


def target(interpreter: Interpreter) -> Target:
    """Return what a lock that is made with `interpreter` is for."""
    python = ".".join(interpreter.version.split(".")[:2]) + ("t" if interpreter.free_threaded else "")
    system, _, library = interpreter.platform.partition(" ")
    system = re.sub(r"^macosx-[\d.]+-", "macosx-", system)  # the oldest system that this Python runs on
    library = library.partition("-")[0]  # without its version, which differs from machine to machine
    return Target(python, interpreter.implementation, f"{system} {library}".strip())


def differences(before: Basis, now: Basis) -> list[str]:
    """Return in words what of `before`, which a lock was made from, is not so `now`."""
    found = _changes("", before.requirements, now.requirements)
    found += _changes("the constraint ", before.constraints, now.constraints)
    if before.requires_python != now.requires_python:
        found.append(_change("requires-python", before.requires_python, now.requires_python))
    for name in sorted({*before.options, *now.options}):
        if before.options.get(name) != now.options.get(name):
            found.append(_change(name.replace("_", "-"), before.options.get(name), now.options.get(name)))
    return found


def _changes(what: str, before: Iterable[str], now: Iterable[str]) -> list[str]:
    """Return what was added to a list of requirements, removed, or replaced by another one of its name."""
    gone = sorted(set(before) - set(now))
    come = sorted(set(now) - set(before))
    lines = []
    for old in gone:
        same = [new for new in come if _name(new) == _name(old)]
        if same:
            come.remove(same[0])
            lines.append(f"{what}`{old}` became `{same[0]}`")
        else:
            lines.append(f"{what}`{old}` was removed")
    return lines + [f"{what}`{new}` was added" for new in come]


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:  # a line of a file of constraints
        return re.split(r"[^\w.-]", requirement)[0]


def _change(name: str, before: Any, now: Any) -> str:
    told = [f"`{json.dumps(value)}`" if value else "nothing" for value in (before, now)]
    return f"`{name}` was {told[0]} and is {told[1]}"


class _Movable:
    """Writes paths below a directory as `./…`."""

    def __init__(self, directory: str) -> None:
        self._path = os.path.realpath(directory) + os.sep
        self._paths = {self._path, os.path.abspath(directory) + os.sep}

    def texts(self, values: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(self._text(value) for value in values))

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.value(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.value(one) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for path in self._paths:
            for start in (f"file://{path}", f"file://{urllib.parse.quote(path)}"):
                text = text.replace(start, "./")
            if text.startswith(path):
                text = "./" + text[len(path) :]
        return text
