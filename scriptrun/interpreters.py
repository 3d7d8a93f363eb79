"""Find a base interpreter, and tell what it is.

Candidates are what PATH and the usual directories hold, and what findpython knows of pyenv, uv and others; none of them
is started to be found. What each of them is, it says itself, once: the answer is remembered until the file changes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from scriptrun import launch, paths, probe, process, refusals
from scriptrun.errors import InterpreterError
from scriptrun.interpreter import Interpreter

PROBE_TIMEOUT = 10.0
"""How long a candidate may take to say what it is, in seconds; a shim may hang."""

REFUSAL_BELIEVED = 3600.0
"""How long a candidate that gave no answer is left alone, in seconds; the machine may just have been busy."""

USUAL_DIRECTORIES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
"""Where systems install Pythons, which PATH does not always reach (cron)."""

_PROGRAM = re.compile(r"(python|pypy)(3(\.\d+)?[a-z]*)?(\.exe)?")
"""The names of the programs that are worth asking: not `python3-config`, `python2.7` or `python.sh`."""


class Choice(NamedTuple):
    """An interpreter, why it was chosen, and which program was asked for by name or path (`""`: none was)."""

    interpreter: Interpreter
    reason: str
    program: str = ""


class Wish(NamedTuple):
    """What is wanted of an interpreter.

    `requested` is a version, a name or a path (`""`: none), `by` says who requested it, `place` where
    `requires_python` stands (`file:line`).
    """

    requested: str
    by: str
    requires_python: SpecifierSet
    place: str

    def allows(self, interpreter: Interpreter) -> bool:
        """Tell whether `requires_python` does; a pre-release too, as whoever gets here chose it."""
        return self.requires_python.contains(interpreter.version, prereleases=True)


def choose(wish: Wish, cache: str, environ: Mapping[str, str]) -> Choice:
    """Return the base interpreter for a script.

    Without a request it is the one that scriptrun runs on, if it satisfies `requires_python`, else the newest installed
    release that does. Raises InterpreterError.
    """
    if wish.requested:
        return _choose_requested(wish, cache, environ)
    own = identify(sys.executable, cache, environ)
    if own is None:  # it is one: another answer would mean another environment
        raise InterpreterError(
            f"`{sys.executable}`, which scriptrun runs on, did not answer what it is",
            hint="try again; this machine may be out of memory, or of another resource",
        )
    if wish.allows(own):
        return Choice(own, "the Python that scriptrun runs on satisfies requires-python")
    found = installed(cache, environ)
    wanted = _Wanted("cpython", wish.requires_python, free_threaded=False, pre=bool(wish.requires_python.prereleases))
    fitting = _newest(wanted.among(found))
    if fitting is None:
        message = f"no installed Python satisfies requires-python `{wish.requires_python}`"
        otherwise = "name one with --python PATH, or change requires-python"
        raise _none_fits(message, wish.place, found, otherwise, str(wish.requires_python))
    return Choice(fitting, "the newest installed release that satisfies requires-python")


def _choose_requested(wish: Wish, cache: str, environ: Mapping[str, str]) -> Choice:
    choice = _find_requested(wish, cache, environ)
    if choice is None:
        message = f"no Python found for `{wish.requested}` ({wish.by})"
        raise _none_fits(message, "", installed(cache, environ), "or ask for one of these", wish.requested)
    if not wish.allows(choice.interpreter):
        raise InterpreterError(
            f"`{wish.requested}` ({wish.by}) is Python {choice.interpreter.version}, "
            f"which requires-python `{wish.requires_python}` does not allow",
            place=wish.place,
            hint="ask for another Python, or change requires-python",
        )
    return choice


def _find_requested(wish: Wish, cache: str, environ: Mapping[str, str]) -> Choice | None:
    """Return the choice of a program, by path or by name on PATH, or of a version, whether or not it is allowed."""
    reason = f"asked for by {wish.by}"
    for program in _programs(wish.requested, environ):
        interpreter = _ask(program, cache, environ)  # afresh: what a shim leads to changes without it
        if interpreter is not None:
            return Choice(interpreter, reason, program)
    wanted = _parse(wish.requested)
    if wanted is None:
        return None
    own = identify(sys.executable, cache, environ)
    if own is not None and wanted.accepts(own) and wish.allows(own):
        return Choice(own, reason)
    accepted = list(wanted.among(installed(cache, environ)))
    interpreter = _newest(one for one in accepted if wish.allows(one)) or _newest(accepted)
    return Choice(interpreter, reason) if interpreter else None


def _programs(requested: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the programs that a path, the directory of an environment or installation, or a name on PATH means."""
    if os.sep in requested:
        yield paths.python(requested) if os.path.isdir(requested) else requested
    elif not re.match(r"[\d<>=!~]", requested):
        import shutil  # with all that archives need

        for directory in _search_path(environ):
            found = shutil.which(requested, path=directory)
            if found:
                yield found


class _Wanted(NamedTuple):
    """A version that is wanted. `pre` says that a pre-release will do where there is no release."""

    implementation: str
    specifiers: SpecifierSet
    free_threaded: bool
    pre: bool

    def accepts(self, interpreter: Interpreter) -> bool:
        return (
            interpreter.implementation == self.implementation
            and interpreter.free_threaded == self.free_threaded
            and self.specifiers.contains(interpreter.version, prereleases=True)
        )

    def among(self, found: Iterable[Interpreter]) -> Iterator[Interpreter]:
        """Yield those of `found` that are accepted, pre-releases only where they will do."""
        return (one for one in found if self.accepts(one) and (self.pre or not one.is_prerelease))


def _parse(requested: str) -> _Wanted | None:
    """Return the version that is meant by `3`, `3.12`, `3.12.1`, `3.13t`, `pypy3.10`, `cpython3.12`, `>=3.11`.

    None for anything else. Who names a minor version takes a pre-release of it where there is no release. Raises
    InterpreterError.
    """
    if requested[0] in "<>=!~":
        try:
            specifiers = SpecifierSet(requested)
        except InvalidSpecifier:
            raise InterpreterError(
                f"`{requested}` is neither a Python version nor a path", hint="an example: --python 3.12"
            ) from None
        return _Wanted("cpython", specifiers, free_threaded=False, pre=bool(specifiers.prereleases))
    found = re.fullmatch(r"(python|cpython|pypy|)@?(3(?:\.\d+(?:\.\d+(?:(?:a|b|rc)\d+)?)?)?)(t?)", requested)
    if found is None:
        return None
    implementation, version, threads = found.groups()
    specifiers = SpecifierSet(f"=={version}" if version.count(".") == 2 else f"=={version}.*")
    return _Wanted("pypy" if implementation == "pypy" else "cpython", specifiers, bool(threads), pre="." in version)


def _newest(found: Iterable[Interpreter]) -> Interpreter | None:
    """Return the newest release, or where there is none the newest pre-release."""
    return max(found, key=lambda one: (not one.is_prerelease, Version(one.version)), default=None)


def _none_fits(message: str, place: str, found: Iterable[Interpreter], otherwise: str, wanted: str) -> InterpreterError:
    listed = "\n".join(f"found: {interpreter}" for interpreter in found) or "found: none"
    return InterpreterError(
        message,
        place=place,
        details=listed,
        hint=f"install one (your system's packages, pyenv, `uv python install`), {otherwise}",
        wanted=wanted,
    )


def installed(cache: str, environ: Mapping[str, str]) -> list[Interpreter]:
    """Return the base interpreters that are found and answer, newest first, each installation once."""
    found: dict[Interpreter, Interpreter] = {}
    for path in _candidates(environ):
        interpreter = identify(path, cache, environ)
        if interpreter is not None:
            installation = interpreter._replace(path=os.path.dirname(interpreter.path))
            same = found.get(installation, interpreter)  # python3.7 and python3.7m
            found[installation] = min(same, interpreter, key=lambda one: one.path)
    return sorted(found.values(), key=lambda one: Version(one.version), reverse=True)


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield paths that look like interpreters, each file once. Nothing is started to find them."""
    known = set()
    for path in (sys.executable, *_in_directories(_search_path(environ)), *_of_managers(), *_in_usual_directories()):
        resolved = _resolve(path)
        if resolved not in known:
            known.add(resolved)
            yield resolved


def _search_path(environ: Mapping[str, str]) -> list[str]:
    """Return the directories of PATH; relative ones are left out: what runs may not depend on where one stands."""
    return [entry for entry in environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(entry)]


def _in_usual_directories() -> Iterator[str]:
    return _in_directories(USUAL_DIRECTORIES)


def _in_directories(directories: Iterable[str]) -> Iterator[str]:
    for directory in directories:
        with contextlib.suppress(OSError):
            names = filter(_PROGRAM.fullmatch, sorted(os.listdir(directory)))
            yield from (path for path in (os.path.join(directory, name) for name in names) if os.access(path, os.X_OK))


def _of_managers() -> Iterator[str]:
    """Yield what pyenv, uv, asdf, rye and the like have installed."""
    from findpython.providers import ALL_PROVIDERS  # takes longer to import than most runs last

    for name, provider_type in ALL_PROVIDERS.items():
        with contextlib.suppress(OSError):  # a directory that may not be read
            provider = None if name == "path" else provider_type.create()
            for python in provider.find_pythons() if provider is not None else ():
                if _PROGRAM.fullmatch(python.executable.name):
                    yield str(python.executable)


def identify(path: str, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Return the base interpreter behind the program at `path`, or None where it does not answer as a Python 3 does.

    What it answers is remembered in `cache` (`""`: nowhere) until the program, or the base behind it, changes.
    """
    path = _resolve(path)
    remembered = _remembered(_memory(path, cache), path) if cache else None
    if remembered is None:
        return _ask(path, cache, environ)
    return Interpreter(**remembered["facts"]) if remembered["facts"] else None


def _ask(path: str, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Return what the program at `path` answers now, and remember it."""
    path = _resolve(path)
    marks = _marks(path)
    if marks is None:
        return None
    interpreter = _probe(path, cache, environ)
    answer = {
        "path": path,
        "marks": marks,
        "facts": interpreter._asdict() if interpreter else None,
        "base_marks": _marks(interpreter.path) if interpreter else None,
    }
    if cache and (interpreter is not None or path != _resolve(sys.executable)):
        with contextlib.suppress(OSError):
            paths.replace(_memory(path, cache), json.dumps(answer).encode("ascii"))
    return interpreter


def _resolve(path: str) -> str:
    """Return the file behind `path`, unless that is a program of another name, which may go by what it is called."""
    real = os.path.realpath(path)
    return real if _PROGRAM.fullmatch(os.path.basename(real)) else os.path.abspath(path)


def _memory(path: str, cache: str) -> str:
    """Return the file that remembers what the program at `path` answered to this very question."""
    checksum = zlib.crc32(os.fsencode(path), _checksum())
    return os.path.join(paths.interpreters(cache), f"{checksum:08x}.json")


@functools.cache
def _checksum() -> int:
    with open(probe.__file__, "rb") as file:
        return zlib.crc32(file.read())


def _remembered(memory: str, path: str) -> dict[str, Any] | None:
    """Return what is remembered of `path`, if neither it nor the base behind it has changed since."""
    try:
        content = json.loads(paths.read(memory))
        if content["path"] != path or content["marks"] != _marks(path):
            return None
        if content["facts"] is None:
            return dict(content) if time.time() - os.path.getmtime(memory) < REFUSAL_BELIEVED else None
        return dict(content) if content["base_marks"] == _marks(_described(content["facts"]).path) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _described(facts: Any) -> Interpreter:
    """Return the interpreter that `facts` describe. Raises TypeError and ValueError where they make no sense."""
    interpreter = Interpreter(**facts)
    if [type(value) for value in interpreter] != [str, str, str, str, str, bool]:
        raise TypeError
    Version(interpreter.version)  # InvalidVersion is a ValueError
    return interpreter


def _marks(path: str) -> list[int] | None:
    """Return what changes when the file at `path` does."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _probe(path: str, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Start the program at `path` and return what it says that it is, None where that makes no sense.

    Raises InterpreterError where the machine lacks what it takes to start it: it may be a Python all the same.
    """
    environment = {name: value for name, value in environ.items() if name not in launch.BREAKS_VENV}
    command = [path, "-I", probe.__file__]
    try:
        finished = process.run(command, environment=environment, directory=cache or os.sep, timeout=PROBE_TIMEOUT)
        lacking = refusals.named_in(finished.output) if finished.status else None
    except process.TimeoutExpired:
        return None
    except OSError as error:
        lacking, finished = refusals.REASONS.get(error.errno or 0), process.Finished(1, "")
    if lacking is not None:
        raise InterpreterError(f"`{path}` cannot say what it is: {lacking[0]}", hint=lacking[1])
    return _parse_answer(finished.output) if finished.status == 0 else None


def _parse_answer(output: str) -> Interpreter | None:
    try:
        answers = [line for line in output.splitlines() if line.startswith(probe.MARK)]
        interpreter = _described(json.loads(answers[0].removeprefix(probe.MARK)))
    except (ValueError, TypeError, IndexError):
        return None
    return interpreter
