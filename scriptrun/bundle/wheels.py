"""Collect the wheels of a lock, and what pip makes of them: where each file goes, and which wheel it is in.

pip installs them as ever, into an environment that is thrown away; a copy of each wheel stays.
"""

from __future__ import annotations

import base64
import hashlib
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
        self._extras: dict[str, bytes] = {}

    def collected(self, installed: Installed) -> Collected:
        wheels = tuple(self._wheel(one, installed) for one in installed.distributions)
        return Collected(wheels, tuple(self._extras.values()))

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
        if one.hash == f"sha256={found.sha256}" and one.name not in self._overwritten:
            return found
        return found._replace(distribution=found.distribution._replace(kept=contents.kept(found)))

    def _sources(self, parts: Parts, wheel: str) -> Iterator[File]:
        members = dict(_members(wheel))
        for stored, path, rest in sorted(parts.files):
            digest = _digest_of(path)
            source = members.get(digest) if _is_said(digest, rest) else None
            yield File(stored, source or self._extra(_content(path)), rest, os.access(path, os.X_OK))

    def _programs(self, parts: Parts) -> Iterator[Program]:
        for stored, (path, program) in sorted(parts.programs.items()):
            yield Program(stored, self._extra(program), stat.S_IMODE(os.stat(path).st_mode))

    def _extra(self, content: bytes) -> str:
        source = contents.source(content)
        self._extras[source] = content
        return source


def _without_host(one: Distribution) -> Distribution:
    """Return a distribution of whose origin only the name of the file is left, where its hash says which one it is.

    The author's mirror or directory is nobody's business, and would make another bundle of the same lock.
    """
    name = one.origin.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return one._replace(origin=name) if one.hash else one


def _is_said(digest: str, rest: str) -> bool:
    """Tell whether a line of RECORD has this hash, or none: what overwrote a file is not what the line says."""
    told = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
    return rest.partition(",")[0] in ("", f"sha256={told}")


def _members(wheel: str) -> Iterator[tuple[str, str]]:
    """Yield digest and name of each file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for one in archive.infolist():
            with archive.open(one) as file:
                yield _digest(file), one.filename


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
