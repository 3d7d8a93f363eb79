"""Run the parts of the harness that the command line asks for; see the package."""

from __future__ import annotations

import argparse
import random
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

import faults
from faults import crowd, hammer, kills, store
from faults.tally import Tally

GRACES = (0, 1)
"""The grace periods that the hammer is run with, in seconds, each for half of the time."""

NewUser = Callable[[str], User]


def main(words: list[str]) -> int:
    """Run what is asked for, tell all counts, and return 1 if anything was lost."""
    asked = _parse(words)
    print(f"faults: seed {asked.seed}", flush=True)
    tallies = []
    for part in asked.part or PARTS:
        for tally in PARTS[part](asked):
            print("faults: done:", "\n".join([*tally.losses, str(tally)]), flush=True)
            tallies.append(tally)
    print(*tallies, sep="\n")
    return int(any(tally.losses for tally in tallies))


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run-tests --faults", description=faults.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="kills, crowd, hammer or store (all)")
    parser.add_argument("--kills", type=int, default=200, help="how many moments of each kind")
    parser.add_argument("--runs", type=int, default=64, help="how many first runs at once")
    parser.add_argument("--seconds", type=float, default=120, help="how long the hammer falls")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="what moments are chosen by")
    return parser.parse_args(words)


def _kills(asked: argparse.Namespace) -> Iterator[Tally]:
    for part in (kills.builders, kills.pips):
        with _surroundings() as (new_user, index):
            yield part(new_user, index, asked.kills, asked.seed)


def _crowd(asked: argparse.Namespace) -> Iterator[Tally]:
    for part in (crowd.first_runs, crowd.disturbed_runs):
        for scripts in (1, 16):
            with _surroundings() as (new_user, index):
                yield part(new_user("user"), index, scripts, asked.runs)


def _hammer(asked: argparse.Namespace) -> Iterator[Tally]:
    for grace in GRACES:
        with _surroundings() as (new_user, index):
            yield hammer.hammer(new_user("user"), index, asked.seconds / len(GRACES), grace, asked.seed)


def _store(asked: argparse.Namespace) -> Iterator[Tally]:
    for part in (store.killed, store.refused):
        with _surroundings() as (new_user, index):
            yield part(new_user, index, asked.kills, asked.seed)
    with _surroundings() as (new_user, index):
        yield store.sharers(new_user("user"), index, min(asked.runs, 16), 20)


PARTS = {"kills": _kills, "crowd": _crowd, "hammer": _hammer, "store": _store}


@contextmanager
def _surroundings() -> Iterator[tuple[NewUser, Index]]:
    """Make a temporary directory for users, and an index for them alone."""
    command = Path(sysconfig.get_path("scripts")) / "scriptrun"
    with tempfile.TemporaryDirectory(prefix="scriptrun-faults-") as root, indexes.serve() as index:
        yield lambda name: users.create(Path(root) / name, command, index.url), index


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
