"""What a cache holds: every environment, complete or not, with what is known of it.

No environment is walked through unless its manifest does not tell its size: ten thousand take a second or two.
"""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from scriptrun import cache as caches
from scriptrun import extent, generations, launch, paths, spec
from scriptrun.extent import Extent


@dataclass(frozen=True)
class Entry:
    """A generation of a key.

    `manifest` is None where it cannot be read or is of another format; `complete` says whether there is one at all.
    `last_used` is a time in seconds; `current` whether the key's pointer names this generation; `scripts` the paths of
    those whose launch records lead here; `size` and `freed` are bytes, see `extent`.
    """

    key: str
    path: str
    manifest: dict[str, Any] | None
    last_used: float
    current: bool
    complete: bool
    scripts: tuple[str, ...]
    size: int
    freed: int

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
    for key in _directories(paths.all_environments(cache)):
        current = generations.current(cache, key)
        for name in _directories(paths.environments(cache, key)):
            path = os.path.join(paths.environments(cache, key), name)
            with contextlib.suppress(FileNotFoundError):
                found.append(_entry(key, path, current == name, scripts.get(path, ())))
    return found


def _entry(key: str, path: str, current: bool, scripts: tuple[str, ...]) -> Entry:  # noqa: FBT001 - a field
    manifest = caches.read_manifest(path)
    room = _extent(path, manifest)
    return Entry(
        key=key,
        path=path,
        manifest=manifest,
        last_used=_last_used(path),
        current=current,
        complete=manifest is not None or os.path.isfile(paths.manifest(path)),
        scripts=scripts,
        size=room.size,
        freed=room.freed,
    )


def _last_used(environment: str) -> float:
    try:
        return os.stat(paths.stamp(environment)).st_mtime
    except OSError:
        return os.stat(environment).st_mtime


def _extent(environment: str, manifest: Mapping[str, Any] | None) -> Extent:
    """Return what the manifest says of an environment's size, or look where it says nothing."""
    size, freed = (manifest or {}).get("size"), (manifest or {}).get("freed")
    return Extent(size, freed) if _is_amount(size) and _is_amount(freed) else extent.measure(environment)


def _is_amount(value: object) -> TypeGuard[int]:
    """Tell whether a JSON value is a number of bytes that a disk can hold."""
    return type(value) is int and 0 <= value < 1 << 63


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
