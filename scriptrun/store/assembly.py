"""Keep what pip installed into an environment, and put environments together from what is kept.

Of each distribution the store has every file as pip unpacked it, but those that say something of one environment: the
commands' first lines, whether somebody asked for it, and RECORD, which lists all. These are written anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from scriptrun import extent, integrity, paths, record
from scriptrun.interpreters import Interpreter
from scriptrun.order import Described, Distribution
from scriptrun.store import commands, kept, placing
from scriptrun.store.kept import Kept, Unusable

_OWN = (record.NAME, "REQUESTED", "direct_url.json")
"""What the directory of metadata has for one environment alone."""

_HEADERS = re.compile(r"include/site/python[\d.]+t?/")


class Gathered(NamedTuple):
    """What was gathered of distributions and is not to be found yet: directories, and the names they are to have."""

    directories: tuple[tuple[str, str], ...]

    def publish(self) -> None:
        """Let all be found; what was gathered has to be on disk. Raises OSError."""
        for path, name in self.directories:
            kept.finish(path, name)


def keep(
    cache: str,
    environment: str,
    distributions: Iterable[Distribution],
    described: Mapping[str, Described],
    interpreter: Interpreter,
) -> tuple[tuple[Distribution, ...], Gathered]:
    """Gather what pip installed into an environment; return the distributions, each with the name that it is kept by.

    What was kept before takes the place of what pip unpacked once more. Raises OSError.
    """
    installed = integrity.installed(environment)
    found, gathered = [], []
    for one in distributions:
        if one.kept:  # it was put in from there
            found.append(one)
            continue
        name = kept.directory(one.name, one.version, one.hash, one.origin, interpreter)
        place = installed.get(integrity.identity(one.name, one.version))
        if name and place is not None:
            before = kept.find(cache, name)
            if before is not None:
                _share(before, environment)
            else:
                path = _gather(cache, name, environment, place, described.get(one.name, Described()))
                gathered += [(path, name)] if path else []
                name = name if path else ""
        found.append(one._replace(kept=name))
    return tuple(found), Gathered(tuple(gathered))


def _gather(cache: str, name: str, environment: str, place: tuple[str, str], described: Described) -> str:
    """Return a new directory that holds what is kept of one distribution; `""` where it cannot be put elsewhere."""
    metadata, site = place
    rows = list(_rows(environment, metadata, site))
    if not rows or any(inside is None for inside, _ in rows):
        return ""
    directory = kept.begin(cache, name)
    files, programs = [], []
    for inside, row in rows:
        path = os.path.join(environment, inside or "")
        program = _program(path, environment) if os.path.dirname(path) == paths.programs(environment) else None
        stored = _stored(inside or "", os.path.relpath(site, environment))
        target = os.path.join(directory, kept.CONTENT, stored)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if program is None:
            placing.share(path, target)
            placing.protect(path)
            placing.protect(target)
            status = os.lstat(target)
            files.append([stored, row[1], status.st_size, status.st_mtime_ns])
        else:
            with open(target, "wb") as file:
                file.write(program[1])
            programs.append([stored, program[0], os.stat(path).st_mode & 0o777])
    facts = {
        "format": kept.FORMAT,
        "metadata": os.path.basename(metadata),
        "requires": described.requires,
        "requires_python": described.requires_python,
        "extras": described.extras,
        "files": files,
        "programs": programs,
        **extent.measure(directory)._asdict(),
    }
    with open(os.path.join(directory, kept.FACTS), "w", encoding="ascii") as file:
        json.dump(facts, file, separators=(",", ":"))
    return directory


def _rows(environment: str, metadata: str, site: str) -> Iterator[tuple[str | None, record.Row]]:
    """Yield path within the environment (None: outside), and row, of each file that is the same everywhere."""
    own = {os.path.join(os.path.basename(metadata), name) for name in _OWN}
    for row in record.read(os.path.join(metadata, record.NAME)):
        if row[0] in own or "__pycache__" in row[0].split("/"):
            continue
        path = os.path.normpath(os.path.join(site, row[0]))
        inside = os.path.relpath(path, environment)
        yield (None if inside.startswith("..") or os.path.islink(path) else inside), row


def _stored(inside: str, site: str) -> str:
    """Return where in the store a file of an environment is, whose modules are in its directory `site`."""
    if inside.startswith(site + os.sep):
        return os.path.join("site", inside[len(site) + 1 :])
    headers = _HEADERS.match(inside)
    return os.path.join("headers", inside[headers.end() :]) if headers else os.path.join("prefix", inside)


def _program(path: str, environment: str) -> tuple[str, bytes] | None:
    with open(path, "rb") as file:
        return commands.split(file.read(), paths.python(environment))


def _share(one: Kept, environment: str) -> None:
    """Let the files of an environment be those that are kept."""
    places = _places(environment)
    for stored, _hash, size, _mtime in one.facts["files"]:
        target = os.path.join(environment, _target(stored, places))
        source = os.path.join(one.path, kept.CONTENT, stored)
        if os.lstat(source).st_size == size and not os.path.samefile(source, target):
            os.unlink(target)
            placing.share(source, target)


def put_together(cache: str, environment: str, distributions: Iterable[Distribution]) -> None:
    """Install distributions from the store into a virtual environment. Raises Unusable and OSError."""
    for one in distributions:
        found = kept.find(cache, one.kept)
        if found is None:
            raise Unusable(f"`{one.name}` {one.version} is not kept any more")
        try:
            _install(found, environment, one)
        except Unusable:
            kept.remove(cache, one.kept)
            raise


def _install(one: Kept, environment: str, distribution: Distribution) -> None:
    places = _places(environment)
    site = os.path.join(environment, places["site"])
    rows = []
    made: set[str] = set()
    for stored, digest, size, mtime in one.facts["files"]:
        source = os.path.join(one.path, kept.CONTENT, stored)
        target = os.path.join(environment, _target(stored, places))
        _verify(source, size, mtime)
        _make_parent(target, made)
        placing.share(source, target)
        rows.append((_listed(target, site), digest, str(size)))
    for stored, options, mode in one.facts["programs"]:
        target = os.path.join(environment, _target(stored, places))
        with open(os.path.join(one.path, kept.CONTENT, stored), "rb") as file:
            content = commands.join(options, file.read(), paths.python(environment))
        rows.append(_written(target, content, site))
        os.chmod(target, mode)
    metadata = os.path.join(site, one.facts["metadata"])
    if distribution.requested:
        rows.append(_written(os.path.join(metadata, "REQUESTED"), b"", site))
    if distribution.direct:
        rows.append(_written(os.path.join(metadata, "direct_url.json"), distribution.direct.encode(), site))
    own = os.path.join(metadata, record.NAME)
    record.write(own, [*rows, (_listed(own, site), "", "")])


def _places(environment: str) -> dict[str, str]:
    """Return where in an environment what is kept goes."""
    site = os.path.relpath(paths.site_packages(environment)[0], environment)
    version = os.path.basename(os.path.dirname(site))
    return {"site": site, "prefix": "", "headers": os.path.join("include", "site", version)}


def _target(stored: str, places: Mapping[str, Any]) -> str:
    kind, _, rest = stored.partition("/")
    return os.path.join(places[kind], rest)


def _verify(path: str, size: int, mtime: int) -> None:
    """Raise Unusable where a file is not as it was put into the store: nobody can have written to it by mistake."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise Unusable(f"`{path}`: {error.strerror}") from None
    if (status.st_size, status.st_mtime_ns) != (size, mtime):
        raise Unusable(f"`{path}` was changed")


def _make_parent(path: str, made: set[str]) -> None:
    directory = os.path.dirname(path)
    if directory not in made:
        os.makedirs(directory, exist_ok=True)
        made.add(directory)


def _written(path: str, content: bytes, site: str) -> record.Row:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return _listed(path, site), f"sha256={digest}", str(len(content))


def _listed(path: str, site: str) -> str:
    """Return a file as RECORD names it."""
    return path[len(site) + 1 :] if path.startswith(site + os.sep) else os.path.relpath(path, site)
