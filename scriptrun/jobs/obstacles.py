"""What keeps others than the one who asks from running a script: files and directories that are closed to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import scriptrun
from scriptrun import arguments, lockfile, sharing
from scriptrun.jobs.job import Job


@dataclass(frozen=True)
class Need:
    """What a job needs: what it is, its path, and the bits that its mode has to have for others."""

    what: str
    path: str
    bits: int

    @property
    def barrier(self) -> str:
        """The file or directory that is closed to others, `""` where none is."""
        return sharing.out_of_reach(os.path.dirname(self.path)) or sharing.out_of_reach(self.path, self.bits)


def files(job: Job) -> Iterator[Need]:
    """Yield the script, the lock beside it, and the files that its options name."""
    yield Need("the script", job.script, 0o004)
    _, lock = lockfile.beside(job.script)
    if os.path.exists(lock):
        yield Need("its lock", lock, 0o004)
    flags = {f"--{option.name}": option for option in arguments.OPTIONS}
    for flag, value in zip(job.options, job.options[1:]):  # noqa: B905 - one is shorter
        named = flag in flags and (flags[flag].paths or flag == "--python")
        if named and os.path.isabs(value) and os.path.exists(value):
            yield Need(flag, value, 0o005 if flag == "--python" or os.path.isdir(value) else 0o004)


def installation(program: str) -> Iterator[Need]:
    """Yield what scriptrun at the path `program` consists of."""
    yield Need("scriptrun", program, 0o005)
    yield Need("scriptrun's Python", sys.executable, 0o001)
    yield Need("its standard library", os.__file__, 0o004)
    yield Need("a part of scriptrun", scriptrun.__file__, 0o004)


def barriers(needs: Iterable[Need], owner: int) -> Iterator[tuple[Need, str]]:
    """Yield what is closed to the user with the number `owner`, with the file or directory that is closed, each once.

    What is theirs is open to them, and everything to root.
    """
    told = set()
    for need in needs:
        barrier = need.barrier
        if barrier and barrier not in told and owner not in (0, os.stat(barrier).st_uid):
            told.add(barrier)
            yield need, barrier
