"""What pip is told to install from a lock: each distribution by name, version and hashes, or by its own URL.

A line of pip's requirements files can be an option, and can have variables in it. So whatever a lock says is checked
against what it may look like, before a line is made of it.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from packaging.pylock import Package
from packaging.utils import canonicalize_name

from scriptrun.errors import LockError
from scriptrun.metadata import Asked
from scriptrun.pinning.pylock import Lock

_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The hashes that pip believes, and how many digits each has."""

_URL = re.compile(r"[a-z][a-z+]*://[^\s\x00-\x1f\x7f\"'`<>\\^{|}]*")
_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
_SYSTEMS = ("git", "hg", "svn", "bzr")


@dataclass(frozen=True)
class Pin:
    """One distribution that is locked: name, version (`""`: its source tells), and the requirement that means it alone.

    Without `hashes` it is one that pip cannot verify: a commit of a repository, or a directory, perhaps `editable`.
    """

    name: str
    version: str
    requirement: str
    hashes: tuple[str, ...] = ()
    editable: bool = False

    @property
    def line(self) -> str:
        """The pin as a line of a requirements file."""
        if self.editable:
            return f"-e {self.requirement.partition(' @ ')[2]}"
        return " ".join([self.requirement, *(f"--hash={one}" for one in self.hashes)])


@dataclass(frozen=True)
class Origin:
    """Where pins are from: the file of the lock, the commands that make it anew or newer, what is in it."""

    file: str
    anew: str
    newer: str
    names: frozenset[str]


def read(lock: Lock, markers: Mapping[str, str]) -> tuple[Pin, ...]:
    """Return what is locked for the Python that `markers` describe. Raises LockError."""
    chosen = [one for one in lock.packages if one.marker is None or one.marker.evaluate(dict(markers))]
    names = [one.name for one in chosen]
    for name in names:
        if names.count(name) > 1:
            raise _damaged(lock, f"`{name}` is in it twice")
    return tuple(_pin(one, lock) for one in chosen)


def authorized(pins: Iterable[Pin], asked: Iterable[Asked]) -> tuple[Pin, ...]:
    """Return the pins with the credentials that the script has for their URLs: a lock holds none."""
    known = {str(canonicalize_name(one.requirement.name)): one.requirement.url or "" for one in asked}
    return tuple(replace(one, requirement=_authorize(one.requirement, known.get(one.name, ""))) for one in pins)


def _authorize(requirement: str, url: str) -> str:
    found = re.search(r"://([^/?#\s]*@)([^/?#\s]+)", url)
    if found is None:
        return requirement
    return re.sub(rf"://(?={re.escape(found[2])}[/?#])", lambda _: f"://{found[1]}", requirement, count=1)


def _pin(package: Package, lock: Lock) -> Pin:
    name, version = str(package.name), str(package.version or "")
    if package.vcs is not None:
        return Pin(name, version, f"{name} @ {_repository(package.vcs, lock)}")
    if package.directory is not None:
        url = _below(_local(package.directory.path, lock), package.directory.subdirectory)
        return Pin(name, version, f"{name} @ {url}", editable=bool(package.directory.editable))
    if package.archive is not None:
        url = _url(package.archive.url, lock) if package.archive.url else _local(package.archive.path or "", lock)
        url += _fragment(package.archive.subdirectory, lock)
        return Pin(name, version, f"{name} @ {url}", _hashes(package.archive, lock))
    if not version:
        raise _damaged(lock, f"`{name}` has no version")
    files = [*(package.wheels or ()), *([package.sdist] if package.sdist else [])]
    return Pin(
        name, version, f"{name}=={version}", tuple(sorted({one for file in files for one in _hashes(file, lock)}))
    )


def _repository(vcs: Any, lock: Lock) -> str:
    url = _url(vcs.url, lock) if vcs.url else _local(vcs.path or "", lock)
    if vcs.type not in _SYSTEMS or not _COMMIT.fullmatch(vcs.commit_id) or "#" in url:
        raise _damaged(lock, f"`{vcs.type}+{url}@{vcs.commit_id}` is no commit of a repository")
    return f"{vcs.type}+{url}@{vcs.commit_id}{_fragment(vcs.subdirectory, lock)}"


def _url(url: str, lock: Lock) -> str:
    if not _URL.fullmatch(url):
        raise _damaged(lock, f"`{url}` is no URL")
    return url


def _local(path: str, lock: Lock) -> str:
    return f"file://{urllib.parse.quote(os.path.normpath(os.path.join(os.path.realpath(lock.directory), path)))}"


def _below(url: str, subdirectory: str | None) -> str:
    return f"{url}/{urllib.parse.quote(subdirectory)}" if subdirectory else url


def _fragment(subdirectory: str | None, lock: Lock) -> str:
    if not subdirectory:
        return ""
    if not re.fullmatch(r"[\w./+-]+", subdirectory, re.ASCII):
        raise _damaged(lock, f"`{subdirectory}` is no subdirectory")
    return f"#subdirectory={subdirectory}"


def _hashes(file: Any, lock: Lock) -> tuple[str, ...]:
    """Return the hashes of a file of which pip accepts one. Raises LockError where there is none that counts."""
    strong = {name: str(value).lower() for name, value in file.hashes.items() if name in _LENGTHS}
    if not strong or any(not re.fullmatch(rf"[0-9a-f]{{{_LENGTHS[name]}}}", one) for name, one in strong.items()):
        raise _damaged(lock, f"{dict(file.hashes)} are no hashes that pip verifies")
    return tuple(f"{name}:{value}" for name, value in strong.items())


def _damaged(lock: Lock, reason: str) -> LockError:
    return LockError(f"the lock is damaged: {reason}", place=lock.file)
