"""What strace tells of a run: system calls, files written, and when which program ran."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Command, Failed, find

_LINE = re.compile(r"(?P<pid>\d+) +(?:(?P<time>\d+\.\d+) +)?(?P<rest>.*)")
_FORKS = ("fork", "vfork", "clone", "clone3")


def _trace(command: Command, output: Path, *options: str) -> list[re.Match[str]]:
    """Return the lines that strace writes of a command: process, time (if asked for) and the rest."""
    words = ["strace", "-f", "-s", "4096", "-o", str(output), *options, find(command), *command.arguments[1:]]
    finished = subprocess.run(words, env=command.variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if finished.returncode:
        raise Failed(f"under strace: {finished.stderr.decode().strip()[-500:]}")
    return [found for line in output.read_text(errors="replace").splitlines() if (found := _LINE.fullmatch(line))]


@dataclass(frozen=True)
class Calls:
    """System calls: by program in the order they were started, each by name; and what may be written was opened."""

    programs: tuple[tuple[str, Counter[str]], ...]
    written: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(counter.total() for _, counter in self.programs)

    @property
    def forks(self) -> int:
        """Processes and threads started."""
        return sum(counter[name] for _, counter in self.programs for name in _FORKS)


def before_script(command: Command, output: Path) -> Calls:
    """Return the system calls from a command's start to the moment that the script's Python is started."""
    programs: list[tuple[str, Counter[str]]] = []
    written = []
    for line in _trace(command, output):
        called = re.match(r"(\w+)\(", line["rest"])
        if called is None:  # a signal, an end, or the rest of a call that was counted at its beginning
            continue
        started = re.match(r'execve\("([^"]*)"', line["rest"])
        if started and "= -1" not in line["rest"]:
            if started[1].endswith("/bin/python"):  # scriptrun's own has a version in its name
                break
            programs.append((Path(started[1]).name, Counter()))
        programs[-1][1][called[1]] += 1
        opened = re.search(r'open(?:at)?\(.*?"([^"]*)", \S*O_(?:WRONLY|RDWR|CREAT)', line["rest"])
        if opened and "= -1" not in line["rest"]:
            written.append(opened[1])
    return Calls(tuple(programs), tuple(written))


@dataclass(frozen=True)
class Window:
    """When a program ran: milliseconds since the first program of the run was started."""

    arguments: str
    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start


def windows(command: Command, output: Path) -> Sequence[Window]:
    """Return when each program of a run ran; one that becomes another ends there.

    Only the starts of programs are traced (`--seccomp-bpf`): everything else goes on at full speed.
    """
    lines = _trace(command, output, "-ttt", "--seccomp-bpf", "-e", "trace=execve")
    first = float(lines[0]["time"])
    running: dict[str, tuple[str, float]] = {}
    ended = []
    for line in lines:
        now = (float(line["time"]) - first) * 1e3
        started = line["rest"].startswith("execve(") and "= -1" not in line["rest"]
        if (started or line["rest"].startswith("+++ ")) and line["pid"] in running:
            ended.append(Window(*running.pop(line["pid"]), now))
        if started:
            running[line["pid"]] = (line["rest"], now)
    return sorted(ended, key=lambda one: one.start)
