"""What a run occupies: the processes that are there while the script runs, and the most memory."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
from pathlib import Path

from measure import Command, find, once
from workshop import Bench

TIME = "/usr/bin/time"
"""GNU time: a small process, as a child counts what its parent occupied before it started the program (vfork)."""

WAITING = "import sys\nprint(flush=True)\nsys.stdin.read()\n"
"""A script that says when it runs, and runs until its standard input ends."""


def tree(command: Command) -> list[tuple[str, int]]:
    """Start a command whose script waits; return command line and resident KiB of each process there is then."""
    with subprocess.Popen(
        [find(command), *command.arguments[1:]],
        env=command.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError
        process.stdout.readline()
        found = [_describe(pid) for pid in _with_descendants(process.pid)]
        process.stdin.close()
    return found


def _with_descendants(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _with_descendants(int(child))
    return found


def _describe(pid: int) -> tuple[str, int]:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    words[0] = os.path.basename(words[0])
    return b" ".join(words).decode(errors="replace"), pages * os.sysconf("SC_PAGESIZE") // 1024


def peak(command: Command, output: Path, rounds: int) -> float:
    """Return the median of the most memory that any one process of a run had, in KiB."""
    timed = Command([TIME, "-f", "%M", "-o", str(output), find(command), *command.arguments[1:]], command.variables)
    values = []
    for _ in range(rounds):
        once(timed)
        values.append(int(output.read_text()))
    return statistics.median(values)


def launcher_alone(bench: Bench, command: Command, environment: str) -> Command:
    """Return a command as `command`, a warm run, whose launch record names an environment where `python` is `true`.

    Memory is kept count of across exec, and Python needs more than the launcher.
    """
    cache = bench.place / "alone"
    shutil.rmtree(cache, ignore_errors=True)
    own = cache / "v1/envs/key/generation"
    (own / "bin").mkdir(parents=True)
    for name in ("pyvenv.cfg", "scriptrun.json", ".stamp"):
        (own / name).touch()
    (own / "bin/python").symlink_to("/bin/true")
    script = bench.scripts / Path(command.arguments[0]).name
    place = Path("v1/launch", *script.parts[1:], "@record")
    record = (bench.tools["scriptrun"].home / ".cache/scriptrun" / place).read_bytes()
    (cache / place).parent.mkdir(parents=True)
    (cache / place).write_bytes(record.replace(os.fsencode(environment), os.fsencode(own)))
    return Command(command.arguments, {**command.variables, "SCRIPTRUN_CACHE_DIR": str(cache)})
