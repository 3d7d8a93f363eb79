"""Collect the wheels of a lock, and what pip makes of them: where each file goes, and which wheel it is in.

pip installs them as ever, into an environment that is thrown away; a copy of each wheel stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import IO, NamedTuple

from packaging.utils import parse_wheel_filename

from scriptrun import consult, integrity, output, pip, pip_messages, prepare
from scriptrun.bundle import contents
from scriptrun.bundle import target as targets
from scriptrun.bundle.contents import File, Program, Wheel
from scriptrun.errors import BundleError
from scriptrun.order import Distribution, Installed
from scriptrun.resolve import Wanted
from scriptrun.store import gathering
from scriptrun.store.assembly import Places
from scriptrun.store.gathering import Parts, Unfit


class Collected(NamedTuple):
    """The wheels of a bundle, by name, and what no wheel holds and pip made.

    The files of the wheels are in the directory that was named.
    """

    wheels: tuple[Wheel, ...]
    extras: tuple[bytes, ...]


def collect(wanted: Wanted, environ: Mapping[str, str], directory: str, show: Callable[[str], None]) -> Collected:
    """Let pip download or build the wheels of a lock into `directory`; return what they are.

    Raises BundleError where one cannot be put elsewhere, InstallError, CacheError and Interrupted.
    """
    order = wanted.order(environ, show)
    if not order.pins:
        return Collected((), ())
    if order.options.flag("offline"):
        raise pip_messages.offline(wanted.request.name)
    for pin in order.pins:
        if pin.editable:
            raise BundleError(f"`{pin.name}` is editable, a link to its source on this machine", hint="lock it without")
    cache = wanted.request.caches.writable()
    with prepare.private_files(), consult.empty_environment(order, cache) as environment:
        show("downloading the wheels")
        with targets.explained(wanted.target):
            installed = pip.install(order._replace(wheels=directory), environment)
        overwritten = prepare.check(environment, order, installed.distributions)
        _refuse_unusable(wanted, directory)
        collected = _Collection(environment, directory, overwritten).collected(installed)
    return _without_commands(collected, wanted) if wanted.target and wanted.target.is_windows else collected


def _refuse_unusable(wanted: Wanted, directory: str) -> None:
    """Raise BundleError where what was built here cannot be used by the Python that the bundle is for."""
    for name in sorted(os.listdir(directory)):
        if wanted.target is not None and not wanted.target.takes(name):
            raise BundleError(
                f"`{parse_wheel_filename(name)[0]}` was built here, as `{name}`, which is not for {wanted.target}",
                hint="ask for a wheel of it, or make the bundle on a machine of that kind",
            )


def _without_commands(collected: Collected, wanted: Wanted) -> Collected:
    """Return the same without commands: on Windows they are programs, and pip has made scripts here."""
    found = [one.distribution.name for one in collected.wheels if one.programs]
    if found and not wanted.options.flag("quiet"):
        output.note(f"a bundle for Windows holds no commands: those of {', '.join(found)} are left out")
    return collected._replace(wheels=tuple(one._replace(programs=()) for one in collected.wheels))


class _Collection:
    """What pip installed into an environment, while it is there; `extras` are numbered as they come."""

    def __init__(self, environment: str, directory: str, overwritten: Collection[str]) -> None:
        self._overwritten = overwritten
        self._places = Places(environment)
        self._metadata = {identity: found[0] for identity, found in integrity.installed(environment).items()}
        self._directory = directory
        self._files = {str(parse_wheel_filename(name)[0]): name for name in os.listdir(directory)}
        self._extras: dict[bytes, int] = {}

    def collected(self, installed: Installed) -> Collected:
        wheels = tuple(self._wheel(one, installed) for one in installed.distributions)
        return Collected(wheels, tuple(self._extras))

    def _wheel(self, one: Distribution, installed: Installed) -> Wheel:
        metadata = self._metadata[integrity.identity(one.name, one.version)]
        try:
            parts = gathering.sort(one, metadata, self._places)
        except Unfit as why:
            raise BundleError(f"`{one.name}` {one.version} cannot be put into a bundle: {why}") from None
        file = self._files[one.name]
        path = os.path.join(self._directory, file)
        found = Wheel(
            distribution=_without_host(one),
            described=installed.described[one.name],
            file=file,
            sha256=_digest_of(path),
            metadata=os.path.basename(metadata),
            files=tuple(self._sources(parts, path)),
            programs=tuple(self._programs(parts)),
        )
        return found if one.hash and one.name not in self._overwritten else _named(found)

    def _sources(self, parts: Parts, wheel: str) -> Iterator[File]:
        members = dict(_members(wheel))
        for stored, path, rest in sorted(parts.files):
            source = members.get((_digest_of(path), os.access(path, os.X_OK)))
            yield File(stored, source if source is not None else self._extra(_content(path)), rest)

    def _programs(self, parts: Parts) -> Iterator[Program]:
        for stored, (path, program) in sorted(parts.programs.items()):
            yield Program(stored, self._extra(program), stat.S_IMODE(os.stat(path).st_mode))

    def _extra(self, content: bytes) -> str:
        return contents.extra(self._extras.setdefault(content, len(self._extras)))  # noqa: S610 - this is no Django


def _without_host(one: Distribution) -> Distribution:
    """Return a distribution of whose origin only the name of the file is left, where its hash says which one it is.

    The author's mirror or directory is nobody's business, and would make another bundle of the same lock.
    """
    name = one.origin.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return one._replace(origin=name) if one.hash else one


def _named(wheel: Wheel) -> Wheel:
    """Return a wheel with the name that it is to have in a store: its hash does not tell what is kept of it.

    It has none where it was built of a directory or a commit; or another one has overwritten a file of it.
    """
    one = wheel.distribution
    content = json.dumps([wheel.sha256, *wheel.files], separators=(",", ":"))
    identity = hashlib.sha256(content.encode()).hexdigest()
    return wheel._replace(distribution=one._replace(kept=f"{one.name}-{one.version}-{identity[:32]}"))


def _members(wheel: str) -> Iterator[tuple[tuple[str, bool], str]]:
    """Yield digest, whether it is to be executable, and name of each file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for one in archive.infolist():
            mode = one.external_attr >> 16
            with archive.open(one) as file:
                yield (_digest(file), stat.S_ISREG(mode) and bool(mode & 0o111)), one.filename


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in iter(lambda: file.read(1 << 20), b""):
        digest.update(chunk)
    return digest.hexdigest()


def _digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return _digest(file)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
