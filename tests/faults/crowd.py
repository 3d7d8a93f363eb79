"""Start many first runs at once, also while the cache is removed, cleared and refreshed beside them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

from support import watch
from support.index import Index
from support.user import User

from faults import wares
from faults.tally import Tally

BODY = "import {module}.late\nassert {module}.late.V == '1.0'\nprint('right')\n"

REMOVALS = (
    ("scriptrun", "cache", "prune", "--all", "--grace", "0"),
    ("scriptrun", "cache", "clear", "--grace", "0"),
)
"""What removes environments, as soon as nothing runs in them."""


def first_runs(user: User, index: Index, scripts: int, runs: int) -> Tally:
    """Start so many runs of so many scripts at once; pip must be started once for each script."""
    tally = Tally(f"{runs} runs, {scripts} script{'s' if scripts > 1 else ''}")
    _run_all(user, index, (scripts, runs), tally)
    starts = wares.pips(index)
    tally.count("starts of pip", sum(starts.values()))
    tally.expect(scripts, len(list(user.cache.glob("v1/envs/*/*"))), "environments")
    tally.expect({f"/simple/ware-{one}/": 1 for one in range(scripts)}, starts, "starts of pip")
    return tally


def disturbed_runs(user: User, index: Index, scripts: int, runs: int) -> Tally:
    """Do the same while environments are removed and refreshed without a pause."""
    tally = Tally(f"{runs} runs, {scripts} script{'s' if scripts > 1 else ''}, disturbed")
    refreshing = tuple(("scriptrun", "--refresh", f"ware{one}.py") for one in range(scripts))
    with contextlib.ExitStack() as beside:
        for commands in (*((removal,) for removal in REMOVALS), refreshing):
            beside.enter_context(repeated(user, commands, tally))
        _run_all(user, index, (scripts, runs), tally)
    tally.count("starts of pip", sum(wares.pips(index).values()))
    return tally


def _run_all(user: User, index: Index, numbers: tuple[int, int], tally: Tally) -> None:
    scripts, runs = numbers
    paths = wares.write_many(user, index, scripts, BODY)
    running = [watch.start(user, paths[one % scripts]) for one in range(runs)]
    for number, process in enumerate(running):
        tally.expect(wares.RIGHT, watch.end(process), f"run {number}")
        tally.count("runs")


@contextlib.contextmanager
def repeated(user: User, commands: Sequence[tuple[str, ...]], tally: Tally) -> Iterator[None]:
    """Run commands of a user in turns, over and over, until the block ends; each must succeed."""
    over = threading.Event()

    def go() -> None:
        while not over.is_set():
            for command in commands:
                status, _, err = user.run(*command)
                tally.expect((0, ""), (status, err), " ".join(command))
                tally.count(" ".join(command[1 : 2 + (command[1] == "cache")]))

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
