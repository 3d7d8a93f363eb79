"""What a cache holds: every environment, complete or not, and every distribution in the store.

None is walked through that was measured before, see `extents`: ten thousand take a second or two.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scriptrun import cache as caches
from scriptrun import generations, launch, paths, spec
from scriptrun.extent import Extent, Shared
from scriptrun.store import kept
from scriptrun.upkeep import extents, loose
from scriptrun.upkeep.extents import Place
from scriptrun.upkeep.loose import Suspect


@dataclass(frozen=True)
class Entry:
    """A generation of a key.

    `manifest` is None where it cannot be read or is of another format; `complete` says whether there is one at all.
    `last_used` is a time in seconds; `current` whether the key's pointer names this generation; `scripts` the paths of
    those whose launch records lead here; `extent` is what its files take, kept ones that are linked to included,
    `loose` those that only environments share, by number.
    """

    key: str
    path: str
    manifest: dict[str, Any] | None
    last_used: float
    current: bool
    complete: bool
    scripts: tuple[str, ...]
    extent: Extent = field(default_factory=Extent)
    loose: Mapping[int, Shared] = field(default_factory=dict)

    @property
    def kept(self) -> frozenset[str]:
        """The names that its distributions have in the store, those that were kept."""
        return _kept(self.manifest)

    @property
    def orphaned(self) -> bool:
        """Whether there were scripts, and all of them are gone."""
        return bool(self.scripts) and all(is_gone(script) for script in self.scripts)

    @property
    def is_sound(self) -> bool:
        """Whether the manifest says what the key was made from: it was not changed since."""
        return self.manifest is not None and spec.digest(self.manifest["asked"]) == self.key


def is_gone(script: str) -> bool:
    """Tell whether there is no such file; one in a directory that may not be searched is not known to be gone."""
    try:
        os.lstat(script)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def entries(cache: str) -> list[Entry]:
    """Return every generation of every key. What goes away meanwhile is left out."""
    scripts = _scripts(cache)
    found = []
    for key, path in _generations(cache):
        with contextlib.suppress(FileNotFoundError):
            current = generations.current(cache, key) == os.path.basename(path)
            found.append(_entry(key, path, current, scripts.get(path, ())))
    places = {_name(entry): Place(entry.path, entry.last_used) for entry in found}
    measured = extents.measure(cache, extents.ENVIRONMENTS, places)
    shared = _loose(cache, found)
    return [replace(one, extent=measured[_name(one)], loose=shared.get(_name(one), {})) for one in found]


def _name(entry: Entry) -> str:
    return f"{entry.key}/{os.path.basename(entry.path)}"


def _loose(cache: str, entries: list[Entry]) -> dict[str, dict[int, Shared]]:
    """Return the files that only environments share, by the names of these."""
    directories = {name: os.path.join(paths.store(cache), name) for name in kept_names(cache)}
    came = {name: _changed(os.path.join(path, kept.FACTS)) for name, path in directories.items()}
    suspects = {}
    for entry in entries:
        done = _changed(paths.manifest(entry.path)) if entry.kept else 0.0
        lost = tuple(sorted(name for name in entry.kept if came.get(name, math.inf) > done))
        if lost:
            suspects[_name(entry)] = Suspect(entry.path, entry.last_used, lost)
    return loose.measure(cache, suspects, directories.values())


def _changed(path: str) -> float:
    """Return when a file was changed last; one that has gone may be there again at any time."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return math.inf


def _generations(cache: str) -> Iterator[tuple[str, str]]:
    """Yield key and path of every generation."""
    for key in _directories(paths.all_environments(cache)):
        for name in _directories(paths.environments(cache, key)):
            yield key, os.path.join(paths.environments(cache, key), name)


def _entry(key: str, path: str, current: bool, scripts: tuple[str, ...]) -> Entry:  # noqa: FBT001 - a field
    manifest = caches.read_manifest(path)
    return Entry(
        key=key,
        path=path,
        manifest=manifest,
        last_used=_last_used(path),
        current=current,
        complete=manifest is not None or os.path.isfile(paths.manifest(path)),
        scripts=scripts,
    )


def distributions(cache: str) -> dict[str, Extent]:
    """Return the extent of each distribution in the store, by the name of its directory."""
    places = {name: Place(os.path.join(paths.store(cache), name)) for name in kept_names(cache)}
    return extents.measure(cache, extents.DISTRIBUTIONS, places)


def kept_names(cache: str) -> list[str]:
    """Return the names of the distributions in the store."""
    return [name for name in _directories(paths.store(cache)) if kept.is_name(name)]


def held(cache: str) -> set[str]:
    """Return the names of the distributions that an environment holds now."""
    manifests = (caches.read_manifest(path) for _, path in _generations(cache))
    return {name for manifest in manifests for name in _kept(manifest)}


def _kept(manifest: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the names that the distributions of a manifest have in the store."""
    found = (one.get("kept") for one in manifest["distributions"]) if manifest is not None else ()
    return frozenset(name for name in found if isinstance(name, str) and kept.is_name(name))


def _last_used(environment: str) -> float:
    try:
        return os.stat(paths.stamp(environment)).st_mtime
    except OSError:
        return os.stat(environment).st_mtime


def _scripts(cache: str) -> dict[str, tuple[str, ...]]:
    """Return the scripts of each environment that a launch record names."""
    found: dict[str, list[str]] = defaultdict(list)
    for script, record in records(cache):
        environment = launch.recorded(record)
        if environment is not None:
            found[environment].append(script)
    return {environment: tuple(sorted(scripts)) for environment, scripts in found.items()}


def records(cache: str) -> Iterator[tuple[str, str]]:
    """Yield script and place of each launch record: the place tells the script."""
    root = paths.records(cache)
    open_directories = [root]
    while open_directories:
        directory = open_directories.pop()
        with contextlib.suppress(OSError), os.scandir(directory) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    open_directories.append(entry.path)
                elif entry.name == "@record":
                    yield directory[len(root) :], entry.path


def _directories(path: str) -> list[str]:
    """Return the names of the directories in `path`, sorted; none where it cannot be read or is a link."""
    with contextlib.suppress(OSError):
        if not os.path.islink(path):
            with os.scandir(path) as found:
                return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    return []
