"""`scriptrun bundle SCRIPT`: one file with a script, its lock and its wheels, which needs nothing but its Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

from scriptrun import arguments, interpreters, output, refusals, request, signals
from scriptrun.arguments import Invocation
from scriptrun.bundle import archive, code, locking, wheels
from scriptrun.bundle import target as targets
from scriptrun.bundle.archive import Parts
from scriptrun.bundle.contents import Contents, Wheel
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.errors import UsageError
from scriptrun.interpreters import Interpreter
from scriptrun.resolve import Wanted
from scriptrun.store import listing

_FORM = "scriptrun bundle SCRIPT [-o FILE] [--python VERSION] [--platform TAG]…"
_OLDEST = (3, 10)
"""The oldest Python that scriptrun's own code runs on."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Write the bundle of a script, and print where it is. Raises ScriptrunError."""
    if len(invocation.arguments) != 1 or invocation.arguments[0] == "-":
        raise UsageError("`scriptrun bundle` takes one script", hint=_FORM)
    script = invocation.arguments[0]
    target = _target(script, invocation.extra)
    with signals.interruptible():
        asked = request.read(arguments.script(script, invocation.options), environ)
        wanted = targets.resolve(asked, environ, _platforms(invocation.extra))
        _refuse(wanted)
        run.warn(wanted)
        try:
            _write(target, wanted, environ)
        except OSError as error:
            raise refusals.explain(f"`{target}` cannot be made", error) from None
    output.give(f"{target}\n")
    return 0


def _target(script: str, extra: Mapping[str, str]) -> str:
    """Return the path of the file that is to be written. Raises UsageError where that cannot be."""
    if "-o" in extra and "--output" in extra:
        raise UsageError("`--output` is given twice", hint="give it once")
    stem = os.path.splitext(os.path.basename(script))[0]
    path = extra.get("-o") or extra.get("--output") or f"{stem}.pyz"
    if os.path.isdir(path):
        raise UsageError(f"`{path}` is a directory", hint=f"name the file: -o {os.path.join(path, f'{stem}.pyz')}")
    if os.path.lexists(path) and not os.path.isfile(path):
        raise UsageError(f"`{path}` is no file that could be replaced", hint="name another one with -o")
    if not os.path.isdir(os.path.dirname(path) or os.curdir):
        raise UsageError(f"there is no directory `{os.path.dirname(path)}`", hint="make it first")
    if os.path.exists(path) and os.path.exists(script) and os.path.samefile(path, script):
        raise UsageError(f"`{path}` is the script itself", hint="name another file with -o")
    return path


def _platforms(extra: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(one.strip() for one in extra["--platform"].split(",")) if "--platform" in extra else ()


def _refuse(wanted: Wanted) -> None:
    """Raise UsageError for what a bundle cannot do: nothing is left out silently."""
    interpreter, options = wanted.spec.interpreter, wanted.options
    if tuple(int(one) for one in interpreter.version.split(".")[:2]) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise UsageError(f"a bundle is for Python {oldest} or newer, and the script gets {interpreter}")
    for name in ("env-file", "no-overlap"):
        if options.many(name) or options.flag(name):
            raise UsageError(f"`{options.place(name)}` has no effect in a bundle: {name} is for scriptrun alone")
    if not wanted.request.source or wanted.request.source.is_copy:
        raise UsageError(f"`{wanted.request.name}` is no file of this machine", hint="save it as a file")
    if not _is_storable(os.path.basename(wanted.request.beside[0])):
        raise UsageError(f"`{wanted.request.name}` has a name that no bundle can hold", hint="rename it")


def _is_storable(name: str) -> bool:
    """Tell whether the name of a script is one line of text, as a zip has it."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8
        return False
    return listing.is_name(name) and name.isprintable()


def _write(target: str, wanted: Wanted, environ: Mapping[str, str]) -> None:
    """Collect what a bundle is made of in a directory that is removed, and write it. Raises ScriptrunError, OSError."""
    with tempfile.TemporaryDirectory(prefix="scriptrun-") as directory, Progress(wanted.options) as progress:
        found = locking.lock(wanted, environ, progress.show)
        if found.lock is not wanted.lock and not wanted.options.flag("quiet"):
            progress.clear()
            which = "" if wanted.lock is None else f" for {wanted.target}"
            output.note(f"the script has no lock{which}: one was made, for this bundle alone")
        below = [os.path.join(directory, name) for name in ("wheels", "code")]
        for path in below:
            os.mkdir(path)
        collected = wheels.collect(found, environ, below[0], progress.show)
        made = code.collect(_compiler(found, environ), below[1], environ)
        content = found.request.source.content if found.request.source is not None else b""
        progress.show("writing the bundle")
        contents = _contents(found, collected.wheels)
        archive.write(target, Parts(contents, content, _lock(found, wanted), made, below[0], collected.extras))


def _compiler(wanted: Wanted, environ: Mapping[str, str]) -> str:
    """Return a Python that is here and makes byte code for the one that is wanted, `""` where there is none."""
    interpreter = wanted.spec.interpreter
    if interpreter.path:
        return interpreter.path
    like = (_minor(interpreter), interpreter.implementation)
    found = interpreters.installed(wanted.request.caches.own, environ)
    return next((one.path for one in found if (_minor(one), one.implementation) == like), "")


def _contents(wanted: Wanted, collected: tuple[Wheel, ...]) -> Contents:
    asked = {name: one for name, one in wanted.spec.facts.items() if name != "interpreter"}
    interpreter = wanted.spec.interpreter
    name = os.path.basename(wanted.request.beside[0])
    return Contents(_minor(interpreter), interpreter.implementation, asked, name, collected)


def _minor(interpreter: Interpreter) -> str:
    return ".".join(interpreter.version.split(".")[:2]) + ("t" if interpreter.free_threaded else "")


def _lock(found: Wanted, wanted: Wanted) -> dict[str, bytes]:
    """Return the lock by the name of its file, nothing where there is none, or the script has it inside."""
    if found.lock is None or (found.lock is wanted.lock and wanted.script.lock):
        return {}
    return {os.path.basename(found.request.beside[1]): found.lock.text.encode()}
