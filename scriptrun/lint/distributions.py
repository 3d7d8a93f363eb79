"""Tell which distribution provides a module: what is installed says so itself; of all others, a table does.

The table is `modules.txt`, which `bench/modules.py` makes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources

from packaging.utils import canonicalize_name

from scriptrun import pip

_SUFFIX = re.compile(r"\.py$|(\.[A-Za-z0-9_-]+)*\.(so|pyd)$")
"""What follows the name of a module: `.abi3.so` and the like for one in C."""

_BY_HAND = {"pkg_resources": ("setuptools",), "distutils": ("setuptools",)}
"""What the table cannot know: modules that newer releases of a distribution, or of Python, have no more."""


@dataclass(frozen=True)
class Installed:
    """A distribution in an environment: its modules, dotted, those of a package not listed, and its commands."""

    name: str
    modules: frozenset[str]
    commands: frozenset[str] = field(default_factory=frozenset)

    def provides(self, module: str) -> bool:
        """Tell whether the dotted name is that of a module here, or of something in one."""
        return any(prefix in self.modules for prefix in prefixes(module))


def prefixes(module: str) -> list[str]:
    """Return `a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def installed(environment: str) -> tuple[Installed, ...]:
    """Return what is in an environment that is ready, with what each distribution says of its files and commands."""
    found = []
    for one in pip.distributions(environment):
        with contextlib.suppress(OSError, ValueError, KeyError):  # a damaged one: `cache verify` tells
            commands = (entry.name for entry in one.entry_points if entry.group.endswith("_scripts"))
            files = [os.fspath(file) for file in one.files or ()]
            found.append(Installed(canonicalize_name(one.name), modules(files), frozenset(commands)))
    return tuple(found)


def modules(files: Iterable[str]) -> frozenset[str]:
    """Return the modules that files, relative to site-packages, make: packages as a whole, the rest one by one."""
    paths = [file for file in files if not file.startswith((".", "/")) and _SUFFIX.search(file)]
    packages = {os.path.dirname(path) for path in paths if os.path.basename(path).startswith("__init__.")}
    found = set()
    for path in paths:
        parts = _SUFFIX.sub("", path).split("/")
        above = ["/".join(parts[:length]) for length in range(1, len(parts))]
        package = next((directory for directory in above if directory in packages), None)
        dotted = parts if package is None else package.split("/")
        if all(part.isidentifier() for part in dotted):
            found.add(".".join(dotted))
    return frozenset(found)


@functools.cache
def _table() -> dict[str, tuple[str, ...]]:
    text = resources.files("scriptrun.lint").joinpath("modules.txt").read_text("utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {**{module: tuple(names) for module, *names in rows}, **_BY_HAND}


@functools.cache
def known() -> frozenset[str]:
    """Return the names of all distributions that the table has, canonical."""
    return frozenset(name for names in _table().values() for name in names)


def providers(module: str) -> tuple[str, ...]:
    """Return the distributions that the table knows to provide a dotted name, the likeliest first.

    In a namespace (`google.cloud.storage`) that is the one of the same name alone; elsewhere the most downloaded one.
    """
    names = _table().get(module.partition(".")[0], ())
    for prefix in reversed(prefixes(module)[1:]):
        name = canonicalize_name(prefix)
        if name in names:
            return (name,)
    return names
