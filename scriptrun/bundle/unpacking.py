"""Make the environment of a bundle: its wheels go into the store, and from there on all is as in any first run.

What pip did with the wheels when the bundle was made is repeated here, see `contents`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scriptrun import cache as caches
from scriptrun import deletion, generations, launch, location, output, paths, prepare, signals
from scriptrun import interpreter as interpreters
from scriptrun import spec as specifications
from scriptrun.arguments import Options
from scriptrun.bundle import contents as tables
from scriptrun.bundle.contents import Contents, Wheel
from scriptrun.bundle.start import Bundle
from scriptrun.cache import Environment
from scriptrun.errors import BundleError, CacheError, InstallError, escape
from scriptrun.interpreter import Interpreter
from scriptrun.launch import Answer
from scriptrun.location import Caches
from scriptrun.order import Distribution, Former, Order
from scriptrun.spec import EnvironmentSpec
from scriptrun.store import gathering, kept, listing
from scriptrun.store.assembly import CONTENT
from scriptrun.store.listing import Listing

_OPTIONS = Options({"offline": True, "prepare-timeout": "0"})
"""Never the network; and who prepares the same is waited for as long as that lives: nothing here can stand still."""

_ATTEMPTS = 3

_FORGOTTEN = 3600.0
"""After how many seconds nobody goes on with what was begun, also on another machine, whose processes do not show."""

_REMEDY = "copy it here once more"

_ANYWHERE = ("-py3-none-any.whl", "-py2.py3-none-any.whl")
"""How the names of wheels end that each Python 3 can use on each machine."""


class _Work(NamedTuple):
    """A bundle that is open, what is in it, the environment that is wanted, the cache, and what is told of steps."""

    archive: zipfile.ZipFile
    contents: Contents
    spec: EnvironmentSpec
    cache: str
    show: Callable[[str], None]


def provide(bundle: Bundle, found: Caches, environ: Mapping[str, str], *, compiled: bool) -> tuple[str, str]:
    """Return the environment of a bundle, claimed, and its script, both made unless they are there.

    With `compiled`, all that is in the environment is byte-compiled. Raises ScriptrunError and OSError.
    """
    show = _show if environ.get("SCRIPTRUN_VERBOSE") else _ignore
    with signals.interruptible(), _opened(bundle.path) as archive:
        contents = tables.parse(archive.read(tables.NAME))
        work = _Work(archive, contents, specify(contents), found.writable(), show)
        if found.note:
            output.note(found.note)
        script = _extract(work, bundle)
        environment = _claimed(work, found.system, environ)
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
    """Open the file of a bundle. Raises BundleError where it is damaged, whenever that shows."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise BundleError(f"`{path}` is damaged: {error}", hint=_REMEDY) from None


def specify(contents: Contents) -> EnvironmentSpec:
    """Return what the environment of a bundle is made from here. Raises BundleError where it is not for this Python."""
    interpreter = interpreters.own()
    spec = specifications.restore({**contents.asked, "interpreter": interpreter._asdict()})
    if spec is None:
        raise BundleError("the bundle is damaged: what it asks for cannot be read", hint=_REMEDY)
    for wheel in contents.wheels:
        _refuse_foreign(wheel, interpreter)
    return spec


def _refuse_foreign(wheel: Wheel, interpreter: Interpreter) -> None:
    if not wheel.file.endswith(_ANYWHERE) and not _is_usable(wheel.file, interpreter):
        raise BundleError(
            f"the bundle is for another machine: `{wheel.file}` cannot be used by {interpreter}, "
            f"which is for {interpreter.platform}",
            hint="make another bundle for this one, on a machine like it or with `--platform`",
        )


def _is_usable(file: str, interpreter: Interpreter) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # a third of what is imported in all

    from scriptrun.store import locked

    try:
        return not parse_wheel_filename(file)[3].isdisjoint(locked.supported(interpreter))
    except InvalidWheelFilename:
        return False


def _extract(work: _Work, bundle: Bundle) -> str:
    """Return the path of the script in the cache, put there if need be. Raises BundleError and OSError."""
    if not listing.is_name(bundle.script) or work.contents.script != bundle.script:
        raise _damaged(work, "its script has another name")
    if not bundle.is_in(work.cache):
        location.tag(work.cache)
        paths.replace(bundle.place(work.cache), work.archive.read(tables.SCRIPTS + bundle.script))
    return bundle.place(work.cache)


def _damaged(work: _Work, what: str) -> BundleError:
    return BundleError(f"`{work.archive.filename}` is damaged: {what}", hint=_REMEDY)


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
    distributions = tuple(_named(work, one.distribution) for one in work.contents.wheels)
    with prepare.private_files():
        _store(work, distributions)
    former = Former(distributions, time.time())
    return prepare.prepare(work.cache, Order(work.spec, (), _OPTIONS, environ, work.show, pins=(), former=former))


def _named(work: _Work, one: Distribution) -> Distribution:
    """Return a distribution with its name in a store here, unless the bundle has given it one. Raises BundleError."""
    name = one.kept or kept.directory(one.name, one.version, one.hash, one.origin, work.spec.interpreter)
    if not kept.is_name(name):
        raise _damaged(work, f"`{one.name}` cannot be kept")
    return one._replace(kept=name)


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
                    _unpack(work, wheel._replace(distribution=one), begun[one.kept])
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


def _unpack(work: _Work, wheel: Wheel, directory: str) -> None:
    """Put what pip made of a wheel into a new directory of the store. Raises BundleError and OSError."""
    content = os.path.join(directory, CONTENT)
    sources = {one.stored: one.source for one in wheel.files} | {one.stored: one.source for one in wheel.programs}
    if not all(listing.is_inside(one) for one in sources) or not listing.is_name(wheel.metadata):
        raise _damaged(work, f"`{wheel.file}` has files at impossible places")
    above = gathering.directories(sources)
    for path in above:
        os.makedirs(os.path.join(content, path))
    with _verified(work, wheel, directory) as unpacked:
        for place, source in sources.items():
            _write((work.archive, unpacked), source, os.path.join(content, place))
    files = [(one.stored, *gathering.settle(os.path.join(content, one.stored)), one.rest) for one in wheel.files]
    programs = [(one.stored, *gathering.settle(os.path.join(content, one.stored)), one.mode) for one in wheel.programs]
    listing.write(directory, Listing(wheel.metadata, above, files, programs))
    kept.describe(directory, wheel.distribution, wheel.described)


@contextlib.contextmanager
def _verified(work: _Work, wheel: Wheel, directory: str) -> Iterator[zipfile.ZipFile]:
    """Open a wheel of a bundle: a copy of it, in a directory, whose hash was checked. Raises BundleError, OSError."""
    with tempfile.TemporaryFile(dir=directory) as copy:
        digest = hashlib.sha256()
        with work.archive.open(tables.WHEELS + wheel.file) as packed:
            while chunk := packed.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != wheel.sha256:
            raise _damaged(work, f"`{wheel.file}` is not the one that was locked, its hash is another")
        with zipfile.ZipFile(copy) as unpacked:
            yield unpacked


def _write(archives: tuple[zipfile.ZipFile, zipfile.ZipFile], source: str, target: str) -> None:
    """Write a file from bundle or wheel as pip does: what is executable in the wheel is so for all."""
    extra = tables.in_bundle(source)
    archive = archives[0] if extra else archives[1]
    member = archive.getinfo(extra or source)
    with archive.open(member) as packed, open(target, "xb") as file:
        shutil.copyfileobj(packed, file)
    mode = member.external_attr >> 16
    if not extra and stat.S_ISREG(mode) and mode & 0o111:
        os.chmod(target, 0o711)  # noqa: S103 - as pip does with the umask that environments are made with
