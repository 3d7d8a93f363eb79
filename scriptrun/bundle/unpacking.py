"""Make the environment of a bundle: its wheels go into the store, and from there on all is as in any first run.

What pip did with the wheels when the bundle was made is repeated here, see `contents`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scriptrun import arguments, deletion, generations, launch, location, output, paths, prepare, signals
from scriptrun import cache as caches
from scriptrun import interpreter as interpreters
from scriptrun import spec as specifications
from scriptrun.arguments import Options
from scriptrun.bundle import contents as tables
from scriptrun.bundle import storing
from scriptrun.bundle.contents import Contents
from scriptrun.cache import Environment
from scriptrun.errors import BundleError, CacheError, InstallError, escape
from scriptrun.interpreter import Interpreter
from scriptrun.launch import Answer
from scriptrun.location import Caches
from scriptrun.order import Distribution, Former, Order
from scriptrun.spec import EnvironmentSpec
from scriptrun.store import kept, listing

if TYPE_CHECKING:
    from scriptrun.bundle.start import Bundle

_OPTIONS = Options({"offline": True, "prepare-timeout": "0"})
"""Never the network; and who prepares the same is waited for as long as that lives: nothing here can stand still."""

_ATTEMPTS = 3

_FORGOTTEN = 3600.0
"""After how many seconds nobody goes on with what was begun, also on another machine, whose processes do not show."""

_ANYWHERE = ("-py3-none-any.whl", "-py2.py3-none-any.whl")
"""How the names of wheels end that each Python 3 can use on each machine."""

_MINOR = re.compile(r">=3(\.\d+)?")
"""What holds for all releases of a minor version, or for none; most distributions say no more."""


class _Work(NamedTuple):
    """A bundle that is open, what is in it, the environment that is wanted, the cache, and what is told of steps."""

    archive: zipfile.ZipFile
    contents: Contents
    spec: EnvironmentSpec
    cache: str
    show: Callable[[str], None]


def provide(
    bundle: Bundle, found: Caches, environ: Mapping[str, str], *, compiled: bool, runs: bool
) -> tuple[str, str]:
    """Return the environment of a bundle, claimed, and its script, both made unless they are there.

    With `compiled`, all that is in the environment is byte-compiled. Unless the script `runs`, it need not be there
    (`""`) where nothing can be written. Raises ScriptrunError and OSError.
    """
    show = _show if arguments.truth("SCRIPTRUN_VERBOSE", environ.get("SCRIPTRUN_VERBOSE", "")) else _ignore
    with signals.interruptible(), _opened(bundle.path) as archive:
        contents, content = _checked(archive, bundle)
        spec = specify(contents)
        ready = caches.lookup(found.system, spec.key) if found.lacking and not runs else None
        if ready is not None and launch.claim(ready.path):
            return ready.path, ""
        work = _Work(archive, contents, spec, _writable(found, runs=runs), show)
        if found.note:
            output.note(found.note)
        environment = _claimed(work, found.system, environ)
        script = _extract(work, bundle, content)
        if compiled and os.access(environment, os.W_OK):
            from scriptrun import bytecode

            bytecode.compile_all(environment, environ)
        launch.remember(work.cache, bundle.question, Answer(environment, "", provable=False), launch.VALID)
    return environment, script


def _show(line: str) -> None:
    output.tell(f"scriptrun: {escape(line.strip())}\n")


def _ignore(_line: str) -> None:
    pass


@contextlib.contextmanager
def _opened(path: str) -> Iterator[zipfile.ZipFile]:
    """Open the file of a bundle. Raises BundleError where it is damaged."""
    with storing.reading(path):
        archive = zipfile.ZipFile(path)
    with archive:
        yield archive


def _checked(archive: zipfile.ZipFile, bundle: Bundle) -> tuple[Contents, bytes]:
    """Return what a bundle holds, and its script. Raises BundleError where it is not the one that Python started."""
    table = storing.read(archive, tables.NAME)
    contents = tables.parse(table)
    if not listing.is_name(bundle.script) or contents.script != bundle.script:
        raise storing.damaged(bundle.path, "its script has another name")
    script = tables.SCRIPTS + bundle.script
    locks = [name for name in archive.namelist() if name.startswith(tables.SCRIPTS) and name != script]
    content = storing.read(archive, script)
    if tables.identity(table, content, [storing.read(archive, one) for one in locks]) != bundle.identity:
        raise BundleError(f"`{bundle.path}` was replaced while it started", hint="start it once more")
    return contents, content


def _writable(found: Caches, *, runs: bool) -> str:
    """Return the cache that can be written to. Raises CacheError where there is none."""
    if found.lacking and runs:
        found.lacking.hint = (
            "the script of a bundle needs a place, even where its environment is there for everybody: "
            "set SCRIPTRUN_CACHE_DIR to a directory that you can write to"
        )
    return found.writable()


def specify(contents: Contents) -> EnvironmentSpec:
    """Return what the environment of a bundle is made from here. Raises BundleError where it is not for this Python."""
    interpreter = interpreters.own()
    spec = specifications.restore({**contents.asked, "interpreter": interpreter._asdict()})
    if spec is None:
        raise BundleError("the bundle is damaged: what it asks for cannot be read", hint=tables.REMEDY)
    _refuse_other_python("the script", contents.requires_python, interpreter)
    here = f"{sys.platform} {platform.machine()}"
    if contents.machine not in ("", here):
        raise _foreign(f"what it holds was chosen for {contents.machine}, and this is {here}")
    for wheel in contents.wheels:
        _refuse_other_python(f"`{wheel.file}`", wheel.described.requires_python, interpreter)
        if not wheel.file.endswith(_ANYWHERE) and not _is_usable(wheel.file, interpreter):
            raise _foreign(f"`{wheel.file}` cannot be used by {interpreter}, which is for {interpreter.platform}")
    return spec


def _foreign(why: str) -> BundleError:
    hint = "make another bundle for this one, on a machine like it or with `--platform`"
    return BundleError(f"the bundle is for another machine: {why}", hint=hint)


def _refuse_other_python(who: str, required: str, interpreter: Interpreter) -> None:
    """Raise BundleError where a version of Python is not allowed; a minor version was looked at at the bundling."""
    if not required or _MINOR.fullmatch(required):
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # as above

    try:
        allowed = SpecifierSet(required).contains(interpreter.version, prereleases=True)
    except InvalidSpecifier:  # pip takes that for any, too
        return
    if not allowed:
        raise BundleError(
            f"{who} does not allow {interpreter}: it requires Python `{required}`", hint="start it with one that is"
        )


def _is_usable(file: str, interpreter: Interpreter) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # a third of what is imported in all

    from scriptrun.store import locked

    try:
        return not parse_wheel_filename(file)[3].isdisjoint(locked.supported(interpreter))
    except InvalidWheelFilename:
        return False


def _extract(work: _Work, bundle: Bundle, content: bytes) -> str:
    """Return the path of the script in the cache, put there if it is not, or is another. Raises OSError."""
    script = bundle.place(work.cache)
    if not (bundle.is_in(work.cache) and paths.read(script) == content):
        location.tag(work.cache)
        paths.replace(script, content)
        os.chmod(script, 0o400)  # later starts look at its size alone
    return script


def _claimed(work: _Work, system: str, environ: Mapping[str, str]) -> str:
    """Return the environment, claimed. What others remove meanwhile is made once more. Raises ScriptrunError."""
    for attempt in range(_ATTEMPTS):
        environment = caches.lookup(system, work.spec.key) if system else None
        try:
            environment = environment or _prepare(work, environ)
        except InstallError:
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        if launch.claim(environment.path):
            return environment.path
    raise CacheError(f"`{work.cache}` is emptied again and again", hint="is `scriptrun cache clear` in a loop?")


def _prepare(work: _Work, environ: Mapping[str, str]) -> Environment:
    path, interpreter = str(work.archive.filename), work.spec.interpreter
    distributions = tuple(storing.named(path, one, interpreter) for one in work.contents.wheels)
    with prepare.private_files():
        _store(work, distributions)
    former = Former(distributions, time.time())
    return prepare.prepare(work.cache, Order(work.spec, (), _OPTIONS, environ, work.show, pins=(), former=former))


def _store(work: _Work, distributions: Sequence[Distribution]) -> None:
    """Put those wheels into the store that are not there, unless the environment is. One process at a time does."""
    waiting = functools.partial(work.show, "waiting for another run to prepare it")
    with caches.lock(work.cache, work.spec.key, waiting):
        if caches.lookup(work.cache, work.spec.key) is not None:
            return
        _remove_leavings(work.cache)
        begun: dict[str, str] = {}
        try:
            for wheel, one in zip(work.contents.wheels, distributions, strict=True):
                if kept.find(work.cache, one.kept) is None:
                    work.show(f"unpacking {wheel.file}")
                    kept.remove(work.cache, one.kept)
                    begun[one.kept] = kept.begin(work.cache, one.kept)
                    storing.unpack(work.archive, wheel._replace(distribution=one), begun[one.kept])
            if begun:
                generations.settle(paths.store(work.cache))
            for name, path in begun.items():
                kept.finish(path, name)
        finally:
            for path in begun.values():
                deletion.delete(path)


def _remove_leavings(cache: str) -> None:
    """Remove what others began to keep and did not finish: where there is no scriptrun, nobody else does."""
    for path in kept.leavings(cache):
        with contextlib.suppress(OSError):
            if time.time() - os.lstat(path).st_mtime > _FORGOTTEN:
                deletion.delete(path)
