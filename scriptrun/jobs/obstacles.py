"""What keeps others than the one who asks from running a script: files and directories that are closed to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import scriptrun
from scriptrun import sharing


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


def script(path: str) -> Need:
    """Return the script as what a job needs."""
    return Need("the script", path, 0o004)


def installation(program: str) -> Iterator[Need]:
    """Yield what scriptrun at the path `program` consists of."""
    yield Need("scriptrun", program, 0o005)
    yield Need("scriptrun's Python", sys.executable, 0o001)
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
