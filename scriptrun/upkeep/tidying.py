"""Remove what lies beside the environments of a cache and serves none of them any more."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Collection, Iterator

from scriptrun import deletion, extent, launch, locks, overlap, paths
from scriptrun.answers import memory
from scriptrun.upkeep import inventory

_UNFINISHED = re.compile(r".+\.\d+\.[0-9a-f]{8}")
"""What `paths.replace` writes to first."""

_UNFINISHED_AGE = 3600.0
"""After how many seconds nobody writes to such a file any more."""


def tidy(cache: str, kept: Collection[str], max_known: float) -> int:
    """Remove what serves nothing; return the bytes that this freed.

    The record of a script that has gone stays while its environment is among the `kept` ones: it tells that this may
    go. What pip found of projects goes after `max_known` seconds. Directories above those of environments and locks
    stay, as others may be about to write to them.
    """
    freed = _remove_records(cache, kept) + _remove_answers(cache) + _remove_keys(cache)
    freed += _remove_pip_answers(cache) + _remove_projects(cache, max_known)
    freed += remove_isolated(cache) + _remove_free(cache)
    return freed + sum(deletion.delete(path) for path in _unfinished(cache))


def forget(cache: str) -> int:
    """Remove all that is remembered of scripts, answers, sizes and interpreters; return the bytes that this freed."""
    directories = [paths.records(cache), paths.answers(cache), paths.recipes(cache), paths.interpreters(cache)]
    directories += [
        paths.extents(cache),
        paths.pip_answers(cache),
        paths.pip_projects(cache),
        paths.all_byte_code(cache),
    ]
    return sum(deletion.delete(entry.path) for directory in directories for entry in _entries(directory))


def _entries(directory: str) -> list[os.DirEntry[str]]:
    """Return what is in a directory of the cache; nothing where a link leads elsewhere: that is not the cache's."""
    with contextlib.suppress(OSError):
        if not os.path.islink(directory):
            with os.scandir(directory) as found:
                return list(found)
    return []


def _remove_records(cache: str, kept: Collection[str]) -> int:
    """Remove launch records that lead nowhere or from nowhere, their locks, and directories that are empty then.

    What another version wrote stays as long as its script.
    """
    freed = 0
    for script, record in list(inventory.records(cache)):
        environment = launch.recorded(record)
        lost = environment is not None and not os.path.isdir(environment)
        if lost or (inventory.is_gone(script) and environment not in kept):
            freed += deletion.delete(record)
    for directory in reversed(_record_directories(cache)):
        freed += _remove_copies(directory)
        if directory != paths.records(cache):
            with contextlib.suppress(OSError):
                os.rmdir(directory)  # unless something is in it
    return freed


def _remove_copies(directory: str) -> int:
    """Remove copies of locks whose record has gone; who is about to write that makes the copy anew another time."""
    with contextlib.suppress(OSError):
        if not os.path.lexists(os.path.join(directory, "@record")):
            return sum(deletion.delete(path) for path in launch.copies(directory))
    return 0


def _record_directories(cache: str) -> list[str]:
    """Return the directory of launch records and all below it, each before those in it."""
    root = paths.records(cache)
    return [] if os.path.islink(root) else [directory for directory, _, _ in os.walk(root)]


def _remove_answers(cache: str) -> int:
    """Remove answers whose environment has gone."""
    freed = 0
    for entry in _entries(paths.answers(cache)):
        environment = launch.answered(entry.path)
        if environment is not None and not os.path.isdir(environment):
            freed += deletion.delete(entry.path)
    return freed


def _remove_pip_answers(cache: str) -> int:
    """Remove pip's answers that name a distribution which is not kept any more."""
    names = set(inventory.kept_names(cache))
    answers = [entry for entry in _entries(paths.pip_answers(cache)) if entry.name.endswith(".json")]
    return sum(deletion.delete(entry.path) for entry in answers if not memory.is_whole(entry.path, names))


def _remove_projects(cache: str, max_known: float) -> int:
    """Remove what pip found of projects so many seconds ago, and the directories that are empty then."""
    long_ago = time.time() - max_known
    freed = 0
    for ground in _entries(paths.pip_projects(cache)):
        with contextlib.suppress(OSError):
            old = [entry for entry in _entries(ground.path) if entry.stat(follow_symlinks=False).st_mtime <= long_ago]
            freed += sum(deletion.delete(entry.path) for entry in old)
            os.rmdir(ground.path)  # unless something is in it
    return freed


def _remove_keys(cache: str) -> int:
    """Remove lock, pointer and recipe of keys that have no environment.

    Who waits for the lock notices, see `locks.take`. No answer is left that would lead to the recipe.
    """
    directories = (paths.locks, paths.pointers, paths.recipes)
    names = {entry.name for directory in directories for entry in _entries(directory(cache))}
    names |= {entry.name for entry in _entries(paths.all_environments(cache)) if entry.is_dir(follow_symlinks=False)}
    freed = 0
    for key in sorted(name for name in names if name.isalnum()):
        if not _entries(paths.environments(cache, key)):
            with contextlib.suppress(OSError), locks.hold(paths.lock(cache, key)) as ours:
                freed += _remove_key(cache, key) if ours else 0
    return freed


def _remove_key(cache: str, key: str) -> int:
    """Remove what there is of a key, whose lock the caller has. Raises OSError if there is an environment."""
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(paths.environments(cache, key))
    return sum(deletion.delete(path(cache, key)) for path in (paths.recipe, paths.pointer, paths.lock))


def remove_isolated(cache: str) -> int:
    """Remove environments for one run that nobody cares for any more: their process was killed, or the machine died."""
    directory = paths.isolated(cache)
    freed = 0
    for name in sorted({entry.name.removesuffix(".lock") for entry in _entries(directory)}):
        path = os.path.join(directory, name)
        with contextlib.suppress(OSError), locks.hold(f"{path}.lock") as ours:
            if ours and not _runs(path):
                freed += deletion.delete(path) + deletion.delete(f"{path}.lock")
    return freed


def _remove_free(cache: str) -> int:
    """Remove the locks against second starts that nobody holds: the next start makes its own anew."""
    freed = 0
    for entry in _entries(paths.all_running(cache)):
        with contextlib.suppress(OSError):
            room = extent.measure(entry.path).freed
            freed += room if overlap.remove(entry.path) else 0
    return freed


def _runs(environment: str) -> bool:
    """Tell whether a process runs from an environment, though nobody cares for it."""
    from scriptrun.upkeep import usage  # a run comes here too, and its import takes time

    return bool(usage.in_use([environment]))


def _unfinished(cache: str) -> Iterator[str]:
    """Yield the files that somebody began to write and did not finish."""
    directories = [
        cache,
        os.path.join(cache, paths.LAYOUT),
        paths.answers(cache),
        paths.interpreters(cache),
        paths.pointers(cache),
        paths.extents(cache),
        paths.pip_answers(cache),
        paths.recipes(cache),
    ]
    directories += _record_directories(cache)
    long_ago = time.time() - _UNFINISHED_AGE
    for directory in directories:
        for entry in _entries(directory):
            with contextlib.suppress(OSError):
                old = entry.stat(follow_symlinks=False).st_mtime < long_ago
                if old and _UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    yield entry.path
