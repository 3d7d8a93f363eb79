"""Start commands and take their time, in turns."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


class Failed(Exception):
    """A command that is measured did not end with status 0."""


@dataclass(frozen=True)
class Command:
    """What is started: the program's path or its name on the PATH of `variables`, its arguments, all its variables."""

    arguments: Sequence[str]
    variables: Mapping[str, str]


@dataclass
class Times:
    """Wall-clock times of one contender, in milliseconds, in the order of the rounds."""

    values: list[float] = field(default_factory=list)

    @property
    def minimum(self) -> float:
        return min(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def start(command: Command) -> int:
    """Start a command with nothing on its standard streams, in the current directory, and return its process."""
    silence = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    return os.posix_spawn(find(command), [*command.arguments], command.variables, file_actions=silence)


def find(command: Command) -> str:
    """Return the path of the program that a command starts. Raises Failed."""
    program = command.arguments[0]
    path = program if "/" in program else shutil.which(program, path=command.variables["PATH"])
    if path is None:
        raise Failed(f"`{program}` is not there")
    return path


def once(command: Command) -> float:
    """Return how long a command takes from its start to its end, in milliseconds. Raises Failed."""
    started = time.perf_counter()
    _, status = os.waitpid(start(command), 0)
    ended = time.perf_counter()
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise Failed(f"{' '.join(command.arguments)} ended with status {code}")
    return (ended - started) * 1e3


def in_turns(
    contenders: Mapping[Name, Command], rounds: int, before: Callable[[Name], None] = lambda _name: None
) -> dict[Name, Times]:
    """Return the times of all contenders, each started once a round; `before` is called as `in_rounds` says."""

    def prepare(name: Name, _number: int) -> Command:
        before(name)
        return contenders[name]

    return in_rounds(list(contenders), rounds, prepare)


def in_rounds(
    names: Sequence[Name],
    rounds: int,
    prepare: Callable[[Name, int], Command | None],
    after: Callable[[Name, Command], None] = lambda _name, _command: None,
) -> dict[Name, Times]:
    """Return the times of all contenders; every round begins with another one. Nothing is dropped.

    `prepare` is called with the contender's name and the round's number before each start, outside the time that is
    taken, and returns what is started, None where the contender sits the round out. `after` is called after the start.
    """
    times = {name: Times() for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            command = prepare(name, number)
            if command is not None:
                times[name].values.append(once(command))
                after(name, command)
        tell(f"\r  round {number + 1} of {rounds}")
    tell("\r\x1b[K")
    return times


def together(command: Command, launches: int, processes: int) -> float:
    """Return how long it takes until `processes` processes have launched a command `launches` times, in milliseconds.

    Raises Failed.
    """
    started = time.perf_counter()
    workers = [_worker(command, (launches + number) // processes) for number in range(processes)]
    statuses = [os.waitpid(worker, 0)[1] for worker in workers]
    if any(statuses):
        raise Failed(f"{' '.join(command.arguments)} failed when {processes} processes started it")
    return (time.perf_counter() - started) * 1e3


def at_most(commands: Iterable[Command], width: int) -> float:
    """Return how long it takes until all commands have ended, of which `width` run at once, in milliseconds.

    Raises Failed when all have ended, one of them with another status than 0.
    """
    started = time.perf_counter()
    running: set[int] = set()
    statuses = []
    for command in commands:
        if len(running) == width:
            statuses.append(_await_one(running))
        running.add(start(command))
    while running:
        statuses.append(_await_one(running))
    if any(statuses):
        raise Failed(f"{sum(map(bool, statuses))} of {len(statuses)} failed, {width} of them at once")
    return (time.perf_counter() - started) * 1e3


def _await_one(running: set[int]) -> int:
    """Wait until one of the processes has ended, take it out, and return its status."""
    process, status = os.wait()
    running.discard(process)
    return status


def _worker(command: Command, launches: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        for _ in range(launches):
            once(command)
    except BaseException:  # noqa: BLE001 - whatever it was, this process must not go on as the other one
        os._exit(1)
    os._exit(0)


def tell(text: str) -> None:
    """Show on stderr how far the measuring is, where stderr is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()
