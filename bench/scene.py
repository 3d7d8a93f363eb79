"""Scenes: tools in homes of their own, one for each kind of pages that the index has, and the scripts they start."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import index
import sets
import workshop
from measure import Command
from sets import Set
from workshop import Bench

QUICK = ("python", "scriptrun", "scriptrun-asking", "uv")
"""What takes part in all rounds of all rows; the others take seconds."""


@dataclass(frozen=True)
class Contender:
    """A tool, what it finds on the index, and whether its script imports what it asks for."""

    pages: str
    imports: bool
    tool: str

    def __str__(self) -> str:
        return self.tool

    @property
    def is_slow(self) -> bool:
        return self.tool not in QUICK

    def beside(self, tool: str) -> Contender:
        """Return another tool under the same conditions."""
        return Contender(self.pages, self.imports, tool)


class Scene:
    """What is measured with one set: its name, homes by kind of pages, and bare Python where all of the set is."""

    def __init__(self, bench: Bench, name: str, wanted: Set) -> None:
        self.name = f"{name}-{wanted.name}"
        self.wanted = wanted
        self.bare = kept_python(bench, wanted)
        urls = {"fresh": bench.index, "stale": index.stale(bench.index)}
        self.homes = {pages: bench.at(f"{self.name}-{pages}", url) for pages, url in urls.items()}

    def contenders(self) -> Iterator[Contender]:
        """Yield who is measured; slow tools with fresh pages and without imports only."""
        for pages, home in self.homes.items():
            for imports in (False, True):
                for tool in ("python", *home.tools):
                    one = Contender(pages, imports, tool)
                    if not one.is_slow or (pages == "fresh" and not imports):
                        yield one

    def leave_out(self, tool: str) -> None:
        """Measure without a tool."""
        for home in self.homes.values():
            home.tools.pop(tool, None)

    def command(self, one: Contender, requirements: tuple[str, ...], name: str = "") -> Command:
        """Write the script of a contender that asks for this; return what starts it. `name` tells it from others."""
        home = self.homes[one.pages]
        stem = f"{self.name}-{one.pages}-{'imports' if one.imports else 'nothing'}{name}"
        body = sets.imports(requirements) if one.imports else ""
        if one.tool == "python":
            started = home.from_shebang("scriptrun", f"{stem}-bare", requirements, body)
            return Command([self.bare, *started.arguments], started.variables)
        return home.from_shebang(one.tool, stem, requirements, body)

    def forget(self, one: Contender) -> None:
        """Let a contender's tool forget the environments it made; what was written so far is flushed to disk."""
        if one.tool != "python":
            self.homes[one.pages].tools[one.tool].forget()
        os.sync()

    def look_after(self) -> None:
        """Let scriptrun look after its cache once, as it does by itself every day."""
        for home in self.homes.values():
            for tool in home.tools.keys() & {"scriptrun", "scriptrun-asking"}:
                workshop.run(home.command(tool, "scriptrun", "cache", "prune"))

    def acquaint(self) -> None:
        """Run earlier scripts, which import all, so that all is downloaded and known that new sets are made of."""
        for pages, home in self.homes.items():
            for number, requirements in enumerate(self.wanted.earlier):
                found = {
                    one: self.command(replace(one, imports=True), requirements, f"-earlier-{number}")
                    for one in self.contenders()
                    if one.pages == pages and not one.imports and one.tool != "python"
                }
                working = home.ready(found, times=1)
                for one in found.keys() - working.keys():
                    self.leave_out(one.tool)
        self.look_after()


def kept_python(bench: Bench, wanted: Set) -> str:
    """Return the Python of an environment that is not forgotten, with all of a set, whose modules are compiled."""
    requirements = tuple(dict.fromkeys((*wanted.base, *wanted.pool, *wanted.asked)))
    cache = {"SCRIPTRUN_CACHE_DIR": str(bench.place / "kept")}
    started = bench.from_shebang("scriptrun", f"kept-{wanted.name}", requirements, sets.imports(requirements))
    workshop.run(bench.command("scriptrun", *started.arguments, **cache))
    told = workshop.run(bench.command("scriptrun", "scriptrun", "env", *started.arguments, "--json", **cache))
    return str(json.loads(told)["python"])
