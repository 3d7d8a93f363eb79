"""Which environments are in use: what the processes of this machine run from.

An environment shows by the end of its path, `/v1/envs/KEY/GENERATION`. It is the same whatever links, mounts or
containers lie above it, and no two environments share it, as a generation's name is random.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from scriptrun import location, paths

_PLACE = re.compile(rf"/{paths.LAYOUT}/((?:envs/\w+|isolated|remote/scripts|bundles)/\w+)")
_SHELL = re.compile(r"(?:.*/)?-?(?:\w*sh\d*|busybox)")
_LAUNCHER = "scriptrun"
_IN_EXEC = (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)
_PATIENCE = 10


@dataclass(frozen=True)
class Sight:
    """What one look at all processes showed: the environments they run from, and the launchers that are in flight."""

    places: frozenset[str]
    launchers: frozenset[psutil.Process]

    def uses(self, environment: str) -> bool:
        """Tell whether a process was seen that runs from the environment at this path."""
        return not self.places.isdisjoint(_PLACE.findall(environment))


def look() -> Sight:
    """Look at every process but this one; what may not be read of other users' is passed over.

    Whoever was born while the others were looked at is looked at too: its parent may have ended unseen.
    """
    places: set[str] = set()
    launchers = set()
    seen = {os.getpid()}
    while new := set(psutil.pids()) - seen:
        seen |= new
        for pid in new:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if _examine(process, places):
                    launchers.add(process)
    return Sight(frozenset(places), frozenset(launchers))


def _examine(process: psutil.Process, places: set[str]) -> bool:
    """Add where a process runs from to `places`, and tell whether it is in flight.

    One that becomes another program meanwhile is looked at again: half-way it shows neither the old nor the new.
    """
    flying = False
    for _ in range(_PATIENCE):
        words = process.cmdline()
        for text in (*words, *_texts(process)):
            places.update(_PLACE.findall(text))
        flying = _is_flying(process, words)
        if process.cmdline() == words:
            break
    return flying


def in_use(environments: Iterable[str]) -> set[str]:
    """Return those of the environments, given by path, that a process runs from."""
    sight = look()
    return {environment for environment in environments if sight.uses(environment)}


def may_enter(launcher: psutil.Process, cache: str) -> bool:
    """Tell whether a launcher may be about to start in an environment of this cache: its own one, or a shared one.

    The variables that it was started with tell which one is its own.
    """
    if os.stat(cache).st_mode & 0o055:
        return True
    try:
        environ, directory = launcher.environ(), launcher.cwd()
    except psutil.AccessDenied:  # another user's
        return False
    except psutil.Error:  # it has ended meanwhile, as whatever it became
        return True
    named = {name: environ.get(name, "") for name in ("SCRIPTRUN_CACHE_DIR", "SCRIPTRUN_SYSTEM_CACHE")}
    places = {name: os.path.join(directory, path) for name, path in named.items() if path}
    candidates = (location.cache_directory({**environ, **places}), places.get("SCRIPTRUN_SYSTEM_CACHE", ""))
    return not environ or any(_is_same(launcher, one, cache) for one in candidates if one)


def _is_same(process: psutil.Process, path: str, cache: str) -> bool:
    """Tell whether what a process knows as `path`, perhaps in a container, is the cache, or can no more be told."""
    root = f"/proc/{process.pid}/root" if sys.platform == "linux" else ""
    try:
        return os.path.samefile(root + path, cache)
    except OSError:
        return not process.is_running()


def await_landing(launchers: Iterable[psutil.Process], limit: float) -> bool:
    """Wait until none of the launchers is in flight; return False if one still is after `limit` seconds."""
    deadline = time.monotonic() + limit
    while any(one.is_running() and in_flight(one) for one in launchers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def in_flight(process: psutil.Process) -> bool:
    """Tell whether a process is a launcher, which may be about to start in an environment."""
    with contextlib.suppress(psutil.Error):
        return _is_flying(process, process.cmdline())
    return False


def _is_flying(process: psutil.Process, words: Sequence[str]) -> bool:
    """Tell whether a process with these words is a launcher, or may become anything as it is in the middle of `exec`.

    There it has no words for a moment. The kernel's threads never have any, nor have programs that took theirs away,
    but the former are no file's, and the latter sleep most of the time.
    """
    with contextlib.suppress(psutil.AccessDenied):
        if words:
            return _is_launcher(process, words)
        return process.status() in _IN_EXEC and bool(process.exe())
    return False


def _is_launcher(process: psutil.Process, words: Sequence[str]) -> bool:
    """Tell whether the first words are a shell, perhaps with options, and the launcher, perhaps by another name."""
    if not _SHELL.fullmatch(words[0]):
        return False
    for word in words[1:5]:
        if word == "-c":
            return False
        if os.path.basename(word) == _LAUNCHER:
            return True
        if os.sep in word:
            path = word if os.path.isabs(word) else os.path.join(process.cwd(), word)
            return os.path.basename(os.path.realpath(path)) == _LAUNCHER
    return False


def _texts(process: psutil.Process) -> Iterator[str]:
    """Yield what tells where a process runs from, beside its words."""
    parts: tuple[Callable[[], Iterable[str]], ...] = (
        lambda: (process.environ().get("VIRTUAL_ENV", ""),),
        lambda: (process.exe(), process.cwd()),
        lambda: (file.path for file in process.open_files()),
        lambda: _maps(process),
    )
    for part in parts:
        with contextlib.suppress(psutil.AccessDenied, PermissionError, FileNotFoundError, ProcessLookupError):
            yield from part()


def _maps(process: psutil.Process) -> Iterator[str]:
    """Yield what a process has in its memory. On Linux psutil asks also how much, which takes thirty times longer."""
    if sys.platform == "linux":
        with open(f"/proc/{process.pid}/maps", encoding="utf-8", errors="surrogateescape") as file:
            yield file.read()
    elif hasattr(process, "memory_maps"):
        yield from (one.path for one in process.memory_maps())
