"""Find a base interpreter, and tell what it is.

Candidates come from findpython (PATH, pyenv, uv, asdf, …), which starts none of them; what each of them is, it says
itself, once: the answer is remembered until the file changes.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from scriptrun import launch, paths, process
from scriptrun.errors import InterpreterError

PROBE_TIMEOUT = 10.0
"""How long a candidate may take to say what it is, in seconds; a shim may hang."""

_PROBE = """\
import json, os, platform, sys, sysconfig
base = getattr(sys, "_base_executable", None) or sys.executable
if sys.prefix != sys.base_prefix and os.path.dirname(base) == os.path.join(sys.prefix, "bin"):
    with open(os.path.join(sys.prefix, "pyvenv.cfg")) as config:
        home = [l.partition("=")[2].strip() for l in config if l.partition("=")[0].strip() == "home"][0]
    names = ["python%d.%d" % sys.version_info[:2], "python%d" % sys.version_info[0], "python", "pypy3"]
    base = [p for p in (os.path.join(home, n) for n in names) if os.path.exists(p)][0]
print(json.dumps({
    "path": os.path.realpath(base),
    "implementation": sys.implementation.name,
    "version": platform.python_version().rstrip("+"),
    "abi": "%s %s" % (sys.implementation.cache_tag, sysconfig.get_config_var("SOABI")),
    "platform": sysconfig.get_platform() + " " + "-".join(platform.libc_ver()),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A base interpreter: its resolved path, `cpython` or the like, full version, ABI, platform."""

    path: str
    implementation: str
    version: str
    abi: str
    platform: str
    free_threaded: bool

    def __str__(self) -> str:
        """Return how it is named in messages."""
        threads = " free-threaded" if self.free_threaded else ""
        return f"{self.implementation} {self.version}{threads} ({self.path})"


@dataclass(frozen=True)
class Choice:
    """An interpreter and why it was chosen."""

    interpreter: Interpreter
    reason: str


@dataclass(frozen=True)
class Wish:
    """What is wanted of an interpreter.

    `requested` is a version, a name or a path (`""`: none), `by` says who requested it, `place` where
    `requires_python` stands (`file:line`).
    """

    requested: str
    by: str
    requires_python: SpecifierSet
    place: str


def choose(wish: Wish, cache: str, environ: Mapping[str, str]) -> Choice:
    """Return the base interpreter for a script.

    Without a request it is the one that scriptrun runs on, if it satisfies `requires_python`, else the newest installed
    release that does. Raises InterpreterError.
    """
    own = identify(sys.executable, cache, environ)
    if wish.requested:
        return _choose_requested(wish, own, cache, environ)
    if own is not None and wish.requires_python.contains(own.version, prereleases=True):
        return Choice(own, "the Python that scriptrun runs on satisfies requires-python")
    found = list(installed(cache, environ))
    fitting = _newest(found, wish.requires_python)
    if fitting is None:
        raise _none_fits(f"no installed Python satisfies requires-python `{wish.requires_python}`", wish.place, found)
    return Choice(fitting, "the newest installed release that satisfies requires-python")


def _choose_requested(wish: Wish, own: Interpreter | None, cache: str, environ: Mapping[str, str]) -> Choice:
    interpreter = _find_requested(wish, own, cache, environ)
    if interpreter is None:
        raise _none_fits(f"no Python found for `{wish.requested}` ({wish.by})", "", installed(cache, environ))
    if not wish.requires_python.contains(interpreter.version, prereleases=True):
        raise InterpreterError(
            f"`{wish.requested}` ({wish.by}) is Python {interpreter.version}, "
            f"which requires-python `{wish.requires_python}` does not allow",
            place=wish.place,
            hint="ask for another Python, or change requires-python",
        )
    return Choice(interpreter, f"asked for by {wish.by}")


def _find_requested(wish: Wish, own: Interpreter | None, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    if os.sep in wish.requested:
        return _at_path(wish.requested, cache, environ)
    wanted = _parse(wish.requested)
    if wanted is None:
        found = shutil.which(wish.requested, path=environ.get("PATH", os.defpath))
        return identify(found, cache, environ) if found else None
    if own is not None and wanted.accepts(own) and wish.requires_python.contains(own.version, prereleases=True):
        return own
    accepted = [found for found in installed(cache, environ) if wanted.accepts(found)]
    return _newest(accepted, wish.requires_python, wanted) or _newest(accepted, SpecifierSet(), wanted)


@dataclass(frozen=True)
class _Wanted:
    """A version that was asked for: `3`, `3.12`, `3.12.1`, `3.13t`, `pypy3.10`, `cpython3.12`, `>=3.11`."""

    implementation: str
    specifiers: SpecifierSet
    free_threaded: bool

    def accepts(self, interpreter: Interpreter) -> bool:
        return (
            interpreter.implementation == self.implementation
            and interpreter.free_threaded == self.free_threaded
            and self.specifiers.contains(interpreter.version, prereleases=True)
        )


def _parse(requested: str) -> _Wanted | None:
    """Return the version that `requested` means, or None where it is the name of a program."""
    if requested[0] in "<>=!~":
        try:
            return _Wanted("cpython", SpecifierSet(requested), free_threaded=False)
        except InvalidSpecifier:
            raise InterpreterError(
                f"`{requested}` is neither a Python version nor a path", hint="an example: --python 3.12"
            ) from None
    found = re.fullmatch(r"(cpython|pypy|)@?(3(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(t?)", requested)
    if found is None:
        return None
    implementation, version, threads = found.groups()
    exact = version.count(".") == 2
    return _Wanted(implementation or "cpython", SpecifierSet(f"=={version}{'' if exact else '.*'}"), bool(threads))


def _at_path(path: str, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Return the interpreter at `path`: a program, or the directory of an installation or virtual environment."""
    if os.path.isdir(path):
        path = paths.python(path)
    return identify(path, cache, environ)


def _newest(
    found: Iterable[Interpreter], requires_python: SpecifierSet, wanted: _Wanted | None = None
) -> Interpreter | None:
    """Return the newest that `requires_python` allows: a release of CPython with a GIL, unless another is `wanted`."""
    fitting = [
        interpreter
        for interpreter in found
        if _satisfies(interpreter, requires_python)
        and (wanted or (interpreter.implementation == "cpython" and not interpreter.free_threaded))
    ]
    releases = [interpreter for interpreter in fitting if not Version(interpreter.version).is_prerelease]
    return max(
        releases or (fitting if wanted else []), key=lambda interpreter: Version(interpreter.version), default=None
    )


def _satisfies(interpreter: Interpreter, requires_python: SpecifierSet) -> bool:
    """Tell whether `requires_python` allows it; a pre-release only where it names one."""
    return requires_python.contains(interpreter.version, prereleases=bool(requires_python.prereleases))


def _none_fits(message: str, place: str, found: Iterable[Interpreter]) -> InterpreterError:
    listed = "\n".join(f"found: {interpreter}" for interpreter in found) or "found: none"
    return InterpreterError(
        message,
        place=place,
        details=listed,
        hint="install one (your system's packages, pyenv, `uv python install`), name one with --python PATH, "
        "or change requires-python",
    )


def installed(cache: str, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    """Yield every base interpreter that is found and answers, each once."""
    seen = set()
    for path in _candidates():
        interpreter = identify(path, cache, environ)
        if interpreter is not None and interpreter.path not in seen:
            seen.add(interpreter.path)
            yield interpreter


def _candidates() -> Iterator[str]:
    """Yield paths that look like interpreters, each file once. Nothing is started to find them."""
    from findpython.providers import ALL_PROVIDERS  # takes longer to import than most runs last

    known = {os.path.realpath(sys.executable)}
    yield sys.executable
    for provider_type in ALL_PROVIDERS.values():
        provider = provider_type.create()
        for python in provider.find_pythons() if provider is not None else ():
            real = os.path.realpath(python.executable)
            if real not in known:
                known.add(real)
                yield str(python.executable)
    for path in _usual_places():
        if os.path.realpath(path) not in known:
            yield path


def _usual_places() -> Iterator[str]:
    """Yield what systems install, which PATH does not always reach (cron)."""
    for directory in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"):
        for path in sorted(glob.glob(f"{directory}/python3.*")):
            if re.fullmatch(r"python3\.\d+t?", os.path.basename(path)):
                yield path


def identify(path: str, cache: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Return the base interpreter behind the program at `path`, or None where it does not answer as a Python 3 does.

    What it answers is remembered in `cache` until the program, or the base behind it, changes.
    """
    path = os.path.realpath(path)
    marks = _marks(path)
    if marks is None:
        return None
    memory = os.path.join(paths.interpreters(cache), f"{zlib.crc32(os.fsencode(path)):08x}.json")
    remembered = _remembered(memory, path, marks)
    if remembered is None:
        remembered = {"path": path, "marks": marks, "facts": _probe(path, cache, environ)}
        base = (remembered["facts"] or {}).get("path", path)
        remembered["base_marks"] = _marks(base)
        with contextlib.suppress(OSError):
            paths.replace(memory, json.dumps(remembered).encode())
    return Interpreter(**remembered["facts"]) if remembered["facts"] else None


def _remembered(memory: str, path: str, marks: list[int]) -> dict[str, Any] | None:
    """Return what is remembered of `path`, if neither it nor the base behind it has changed since."""
    try:
        with open(memory, "rb") as file:
            content = json.load(file)
        base = content["facts"]["path"] if content["facts"] else path
        if content["path"] == path and content["marks"] == marks and content["base_marks"] == _marks(base):
            if content["facts"]:
                Interpreter(**content["facts"])
            return dict(content)
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _marks(path: str) -> list[int] | None:
    """Return what changes when the file at `path` does: size, mtime, inode."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _probe(path: str, cache: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    environment = {name: value for name, value in environ.items() if name not in launch.BREAKS_VENV}
    try:
        finished = process.run(
            [path, "-I", "-c", _PROBE], environment=environment, directory=cache, timeout=PROBE_TIMEOUT
        )
        facts = json.loads(finished.output) if finished.status == 0 else None
        return asdict(Interpreter(**facts)) if facts else None
    except (OSError, ValueError, TypeError, process.TimeoutExpired):
        return None
