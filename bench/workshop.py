"""What the benchmarks share: the place they work in, the peers that start, scripts, and the command line."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import index as indexes
import tools
from measure import Command, Failed, Name, find
from tools import ROOT, Tool

sys.path.insert(0, str(ROOT / "tests"))

from support.index import wheel


@dataclass
class Bench:
    """The place, the index's URL there, the tools by name, and why some of them do not take part."""

    place: Path
    index: str
    tools: dict[str, Tool]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def scripts(self) -> Path:
        """Where the scripts are; the benchmarks run in this directory."""
        return self.place / "scripts"

    def at(self, home: str, index: str = "") -> Bench:
        """Return the same bench whose tools have other homes, empty ones, and may have another index."""
        others = {name: tool.at(self.place / "homes" / home / name) for name, tool in self.tools.items()}
        return replace(self, index=index or self.index, tools=others)

    @property
    def downloads(self) -> Path:
        """Where the wheels are that were downloaded."""
        return self.place / "downloads"

    def command(self, tool: str, *arguments: str, **variables: str) -> Command:
        """Return a command with the variables of a tool and these."""
        return Command(arguments, {**self.tools[tool].variables(self.index), "PWD": str(self.scripts), **variables})

    def from_shebang(
        self, tool: str, name: str, requirements: Sequence[str], body: str = "", python: str = ">=3.10"
    ) -> Command:
        """Write a script for a tool, and return the command that starts it from its shebang."""
        path = self.scripts / f"{name}-{tool}.py"
        path.write_text(f"{self.tools[tool].shebang}\n{block(requirements, python)}{body}")
        path.chmod(0o755)
        return self.command(tool, f"./{path.name}")

    def bare(self, name: str, **variables: str) -> Command:
        """Return `ENV/bin/python SCRIPT` for a script of scriptrun's whose environment is there."""
        launcher = self.command("scriptrun", "scriptrun", "env", f"./{name}-scriptrun.py", "--json", **variables)
        facts = json.loads(run(launcher))
        return self.command("scriptrun", facts["python"], f"./{name}-scriptrun.py", **variables)

    def ready(self, contenders: Mapping[Name, Command], times: int = 2) -> dict[Name, Command]:
        """Run every contender so that all is prepared and known; return those that work, and note the others."""
        working = {}
        for name, command in contenders.items():
            try:
                for _ in range(times):
                    run(command)
                working[name] = command
            except Failed as failure:
                self.missing[str(name)] = str(failure)
        return working


def run(command: Command) -> str:
    """Run a command in the current directory and return what it writes to stdout. Raises Failed."""
    finished = subprocess.run(
        [find(command), *command.arguments[1:]],
        env=command.variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        lines = [line for line in (finished.stderr + finished.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines[-1:]
        raise Failed((telling or [f"it ended with status {finished.returncode}"])[0].strip())
    return finished.stdout


def block(requirements: Sequence[str], python: str = ">=3.10") -> str:
    """Return a block that lists requirements one a line, as people write it."""
    listed = "".join(f'#   "{requirement}",\n' for requirement in requirements)
    return f'# /// script\n# requires-python = "{python}"\n# dependencies = [\n{listed}# ]\n# ///\n'


def tiny(number: int) -> list[str]:
    """Return the requirements of `number` distributions that hold one small module each."""
    return [f"tiny-{one:03}" for one in range(number)]


def options(description: str) -> argparse.ArgumentParser:
    """Return the command line that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds, to try it; the figures say nothing")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--place", type=Path, default=ROOT / ".work/bench", help="where all is installed and kept")
    return parser


@contextmanager
def prepared(place: Path, downloads: Sequence[str] = (), kinds: Sequence[type[Tool]] = tools.ALL) -> Iterator[Bench]:
    """Install the tools and serve an index with tiny distributions, and with `downloads` if those can be had.

    The current directory is that of the scripts then.
    """
    place = place.resolve()
    bench = Bench(place, "", {kind.name: kind(place) for kind in kinds})
    for name, tool in bench.tools.items():
        print(f"installing {name} …", file=sys.stderr)
        tool.install()
    if downloads:
        _download(bench, downloads)
    wheels = place / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir()
    for path in bench.downloads.glob("*.whl") if downloads else ():
        shutil.copy(path, wheels)
    for requirement in tiny(100):
        name, content = wheel(requirement, "1.0")
        (wheels / name).write_bytes(content)
    indexes.write(wheels, place / "index")
    bench.scripts.mkdir(exist_ok=True)
    os.chdir(bench.scripts)
    with indexes.serve(place / "index") as bench.index:
        yield bench


def _download(bench: Bench, requirements: Sequence[str]) -> None:
    """Download what is required and what that requires, unless it is there, from the index that pip is set to."""
    done = bench.downloads / "requirements"
    if not done.is_file() or done.read_text() != " ".join(requirements):
        shutil.rmtree(bench.downloads, ignore_errors=True)
        options = ("--only-binary", ":all:", "--dest", str(bench.downloads))
        bench.tools["scriptrun"].pip("download", *options, *requirements)
        done.write_text(" ".join(requirements))
