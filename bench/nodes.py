"""Nodes: homes in which a script starts for the first time, and the ways in which these get what it needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import index
import scene
import workshop
from measure import Command, Failed
from sets import Set
from tools import PYTHON
from workshop import Bench

HERE, INDEX, FOLDER, BUNDLE, SHARED = "what is there", "the index", "a folder", "a bundle", "a shared cache"

BARE, LOCKED = "python", "{}, with a lock"

SCRIPTRUN, UV = (LOCKED.format(one) for one in ("scriptrun", "uv"))

UNIT = (INDEX, UV)
"""What all others are compared with, besides bare Python."""

QUICK = ("scriptrun", "uv")
"""The tools that take part in all rounds, and that have locks; the others take many seconds."""

NOWHERE = "http://127.0.0.1:9/simple/"
"""An index that is not there, for who is to need none."""

THIS_PYTHON = f"=={sys.version_info.major}.{sys.version_info.minor}.*"
"""What scripts require: the wheels are for this Python, and uv's lock is for each that the script allows."""

Plan = tuple[str, str, Callable[[], Command]]
"""Where from, which run, and what prepares all that it needs."""


@dataclass(frozen=True)
class Way:
    """How a node gets what a script needs: where from, which run sees to it, and what starts the script."""

    source: str
    run: str
    command: Command

    @property
    def is_slow(self) -> bool:
        return not self.run.startswith((BARE, *QUICK))

    def on(self, home: Path) -> Command:
        """Return what starts the script on the node with this home."""
        return replace(self.command, variables={**self.command.variables, "HOME": str(home)})


class Site:
    """Where nodes start a script that asks for one set: its locks, the folder of wheels, the bundle, shared caches."""

    def __init__(self, bench: Bench, wanted: Set) -> None:
        self.bench = bench
        self.wanted = wanted
        self.name = f"fleet-{wanted.name}"
        self.place = empty(bench.place / self.name)
        self.folder = empty(self.place / "wheels")
        for wheel in _wheels(bench, wanted):
            shutil.copy(wheel, self.folder)

    def ways(self, tools: Sequence[str]) -> list[Way]:
        """Return the ways that work, each tried on a node of its own; what does not is noted as missing."""
        found = []
        for source, run, prepare in self._plans([one for one in self.bench.tools if one in tools]):
            try:
                way = Way(source, run, prepare())
                workshop.run(way.on(self.node("first")))
            except Failed as failure:
                self.bench.missing[f"`{run}` from {source}"] = str(failure)
            else:
                found.append(way)
        return found

    def node(self, name: str) -> Path:
        """Return the home of a node where nothing is yet; what was written so far is flushed to disk."""
        home = empty(self.place / "nodes" / name)
        os.sync()
        return home

    def _plans(self, tools: Sequence[str]) -> Iterator[Plan]:
        yield HERE, BARE, self._bare
        for source in (INDEX, FOLDER):
            for tool in tools:
                yield source, tool, partial(self._from, source, tool, self._stem(source))
                if tool in QUICK:
                    yield source, LOCKED.format(tool), partial(self._locked, source, tool)
        yield BUNDLE, SCRIPTRUN, self._bundle
        yield SHARED, SCRIPTRUN, self._system_cache
        if "uv" in tools:
            yield SHARED, UV, partial(self._uv_cache, writable=False)
            yield f"{SHARED} that all write to", UV, partial(self._uv_cache, writable=True)

    def _bare(self) -> Command:
        python = scene.kept_python(self.bench, self.wanted)
        started = self._script("scriptrun", f"{self.name}-bare")
        return Command([python, *started.arguments], started.variables)

    def _script(self, tool: str, name: str) -> Command:
        return self.bench.from_shebang(tool, name, self.wanted.asked, python=THIS_PYTHON)

    def _stem(self, source: str) -> str:
        return f"{self.name}-{source.rpartition(' ')[2]}"

    def _from(self, source: str, tool: str, name: str) -> Command:
        """Return the start of a script from its shebang; from a folder with options for uv, which has no variable."""
        started = self._script(tool, name)
        if source == INDEX:
            return started
        variables = {**started.variables, "PIP_INDEX_URL": NOWHERE, "UV_DEFAULT_INDEX": NOWHERE, "PIP_NO_INDEX": "1"}
        variables |= {"PIP_FIND_LINKS": str(self.folder), "UV_FIND_LINKS": str(self.folder)}
        words = ("uv", "run", "--no-index", "--script") if tool == "uv" else ()
        return Command([*words, *started.arguments], variables)

    def _locked(self, source: str, tool: str) -> Command:
        """Return the same with a lock beside the script, made now."""
        name = f"{self._stem(source)}-locked"
        started = self._from(source, tool, name)
        for lock in self.bench.scripts.glob(f"*{name}-{tool}*"):
            if lock.suffix != ".py":
                lock.unlink()
        script = started.arguments[-1]
        options = ("--no-index",) if source == FOLDER else ()
        words = ("uv", "lock", *options, "--script", script) if tool == "uv" else ("scriptrun", "lock", script)
        self._make(Command(words, started.variables))
        return started

    def _make(self, command: Command, **variables: str) -> None:
        """Run what prepares something, with a home of its own."""
        workshop.run(Command(command.arguments, {**command.variables, "HOME": str(self.node("maker")), **variables}))

    def _bundle(self) -> Command:
        """Return the start of a bundle; neither scriptrun nor an index is to be found then."""
        started = self._locked(INDEX, "scriptrun")
        bundle = self.place / "script.pyz"
        self._make(Command(["scriptrun", "bundle", *started.arguments, "-o", str(bundle)], started.variables))
        alone = {"PATH": f"{PYTHON.parent}:/usr/bin:/bin", "PIP_INDEX_URL": NOWHERE}
        return Command([str(bundle)], {**started.variables, **alone})

    def _system_cache(self) -> Command:
        started = self._locked(INDEX, "scriptrun")
        cache = {"SCRIPTRUN_SYSTEM_CACHE": str(self.place / "system")}
        self._make(Command(["scriptrun", "sync", "--system", *started.arguments], started.variables), **cache)
        _forbid_writing(self.place / "system")
        return Command(started.arguments, {**started.variables, **cache})

    def _uv_cache(self, *, writable: bool) -> Command:
        started = self._locked(INDEX, "uv")
        cache = self.place / ("uv-writable" if writable else "uv-read-only")
        self._make(started, UV_CACHE_DIR=str(cache))
        if not writable:
            _forbid_writing(cache)
        return Command(started.arguments, {**started.variables, "UV_CACHE_DIR": str(cache)})


def _wheels(bench: Bench, wanted: Set) -> Iterator[Path]:
    """Yield the wheels that a set needs, of those that the index has."""
    if wanted.name == "larger":
        yield from bench.downloads.glob("*.whl")
        return
    for wheel in (bench.place / "wheels").glob("*.whl"):
        if index.project(wheel) in wanted.asked:
            yield wheel


def empty(directory: Path) -> Path:
    """Return the directory, with nothing in it."""
    _chmod(directory, lambda mode: mode | 0o200)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _forbid_writing(directory: Path) -> None:
    _chmod(directory, lambda mode: mode & ~0o222)


def _chmod(root: Path, change: Callable[[int], int]) -> None:
    """Change the modes of a directory, of all below, and of the files there."""
    for directory, _, names in os.walk(root):
        for path in (directory, *(os.path.join(directory, name) for name in names)):
            if not os.path.islink(path):
                os.chmod(path, change(os.stat(path).st_mode))
