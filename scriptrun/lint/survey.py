"""Compare what a program imports with what is declared, and with what else there is to import."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import stdlibs
from packaging.utils import canonicalize_name

from scriptrun import process
from scriptrun.interpreter import Interpreter
from scriptrun.lint import distributions, imports
from scriptrun.lint.distributions import Installed
from scriptrun.lint.imports import Found, Import
from scriptrun.metadata import Asked
from scriptrun.resolve import Wanted
from scriptrun.source import Source

_PARSING_TIMEOUT = 60.0
"""How long another Python may take to parse a program, in seconds."""


@dataclass(frozen=True)
class Surroundings:
    """What there is to import: modules of the standard library, those in `directory` (`""`: none), what is declared.

    `installed` is None while there is no environment; then the table tells what a distribution provides.
    """

    standard: frozenset[str]
    directory: str
    declared: tuple[Asked, ...]
    installed: tuple[Installed, ...] | None

    @property
    def names(self) -> frozenset[str]:
        """The canonical names of what is declared."""
        return frozenset(canonicalize_name(one.requirement.name) for one in self.declared)


@dataclass(frozen=True)
class Missing:
    """An import of something that is not declared.

    `providers` are distributions known to provide it, the likeliest first; `through` is the one of them that is in the
    environment because another one requires it (`""`: none).
    """

    wanted: Import
    providers: tuple[str, ...]
    through: str = ""

    @property
    def module(self) -> str:
        """The module that is imported: the part of its name that the distribution is called after, or the top."""
        first, *longer = distributions.prefixes(self.wanted.module)
        return next((one for one in longer if canonicalize_name(one) in self.providers[:1]), first)


def around(wanted: Wanted) -> Surroundings:
    """Return what there is to import in the environment that is wanted; it need not be ready."""
    environment = wanted.environment()
    installed = distributions.installed(environment.path) if environment is not None else None
    beside = directory(wanted.request.source)
    return Surroundings(standard_library(wanted.choice.interpreter), beside, wanted.asked, installed)


def directory(program: Source | None) -> str:
    """Return the directory whose modules a program can import: its own, past symbolic links; `""`: none."""
    return os.path.dirname(os.path.realpath(program.file)) if program is not None and program.file else ""


def read(source: bytes, interpreter: Interpreter | None, environ: Mapping[str, str]) -> Found:
    """Return what a program imports, parsed by the Python that it gets, or by this one. Raises SyntaxError."""
    if interpreter is None or interpreter.version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]:
        return imports.find(source)
    with tempfile.TemporaryDirectory(prefix="scriptrun-") as directory:
        path = os.path.join(directory, "program")
        with open(path, "wb") as file:
            file.write(source)
        command = [interpreter.path, "-I", "-S", "-X", "utf8", imports.__file__, path]
        try:
            finished = process.run(command, environment=environ, directory=directory, timeout=_PARSING_TIMEOUT)
        except (OSError, process.TimeoutExpired):
            return imports.find(source)
    answers = [line for line in finished.output.splitlines() if line.startswith(imports.MARK)]
    return imports.restore(answers[-1].removeprefix(imports.MARK)) if answers else imports.find(source)


def standard_library(interpreter: Interpreter | None) -> frozenset[str]:
    """Return the top-level modules of an interpreter's standard library; of any Python 3's where there is none."""
    if interpreter is None:
        return stdlibs.module_names
    minor = ".".join(interpreter.version.split(".")[:2])
    newest = max(stdlibs.KNOWN_VERSIONS, key=lambda version: [int(part) for part in version.split(".")])
    return stdlibs.stdlib_module_names(minor if minor in stdlibs.KNOWN_VERSIONS else newest)


def foreign(found: Found, around: Surroundings) -> Iterator[Import]:
    """Yield the imports that are neither of the standard library, nor of a module beside the script, nor relative."""
    for one in found.imports:
        top = one.module.partition(".")[0]
        if top and top not in around.standard and top != "__main__" and not _is_beside(top, around.directory):
            yield one


def _is_beside(module: str, directory: str) -> bool:
    """Tell whether a directory holds a module of that name, which Python finds before all that is installed."""
    if not directory:
        return False
    return module in _modules_in(directory) or bool(_modules_in(os.path.join(directory, module)))


@functools.cache
def _modules_in(directory: str) -> frozenset[str]:
    """Return the modules that are files in a directory; none where there is no directory, or it may not be read."""
    with contextlib.suppress(OSError):
        names = (name for name in os.listdir(directory) if name.endswith((".py", ".so", ".pyd")))
        return frozenset(name.partition(".")[0] for name in names)
    return frozenset()


def missing(found: Found, around: Surroundings) -> list[Missing]:
    """Return the imports that the program cannot do without and that nothing declared provides, each once.

    What nothing is known of is left out where a declared distribution is there of which nothing is known either.
    """
    results: dict[str, Missing] = {}
    for one in foreign(found, around):
        lacking = None if one.optional else _lacking(one, around)
        if lacking is not None:
            key = lacking.providers[0] if lacking.providers else lacking.module
            results.setdefault(key, lacking)
    return list(results.values())


def _lacking(wanted: Import, around: Surroundings) -> Missing | None:
    """Return how an import is not provided for; None where it is, or may be."""
    names = around.names
    present = {one.name: one for one in around.installed or ()}
    owners = [name for name, one in sorted(present.items()) if one.provides(wanted.module)]
    providers = distributions.providers(wanted.module)
    likely = {*owners, *(name for name in (*providers, *_names_like(wanted)) if name not in present)}
    if likely & names:
        return None
    if owners:
        return Missing(wanted, (owners[0], *(name for name in providers if name != owners[0])), owners[0])
    unknown = names - present.keys() - distributions.known()
    return None if unknown and not providers else Missing(wanted, providers)


def _names_like(wanted: Import) -> Iterable[str]:
    return (canonicalize_name(prefix) for prefix in distributions.prefixes(wanted.module))


def unused(found: Found, around: Surroundings, declared: Iterable[Asked]) -> list[Asked]:
    """Return those of `declared` that the program neither imports nor names in a string, as far as can be told.

    A distribution without modules, or of which nothing is known while an import is unaccounted for, may be in use.
    """
    wanted = list(foreign(found, around))
    words = {canonicalize_name(word) for word in found.words}
    present = {one.name: one for one in around.installed or ()}
    unaccounted = any(not distributions.providers(one.module) for one in wanted)
    results = []
    for asked in declared:
        name = canonicalize_name(asked.requirement.name)
        own = present.get(name)
        named = {name, *(canonicalize_name(command) for command in own.commands)} if own else {name}
        if named & words:
            continue
        if own is not None:
            is_used = not own.modules or any(own.provides(one.module) for one in wanted)
        else:
            known = name in distributions.known() or not unaccounted
            is_used = not known or any(
                name in (*distributions.providers(one.module), *_names_like(one)) for one in wanted
            )
        if not is_used:
            results.append(asked)
    return results
