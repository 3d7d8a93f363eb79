"""Launch scripts, most of them from their records, against a loop of removals."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.index import Index
from support.user import LIMIT, User

from faults import wares
from faults.tally import Tally

SCRIPTS = 4
"""How many scripts there are, each with an environment of its own, for which pip is asked."""

BARE = 4
"""How many scripts there are beside them that need nothing: their environments are there again in no time."""

LAUNCHERS = 4
"""How many launches are under way at once."""

HELD = ("strace", "-qq", "-o", "/dev/null", "-e", "trace=execve", "-e", "inject=execve:when=2+:delay_enter=300000")
"""What holds a launch for 0.3 s at its most dangerous moment: it has looked for a mark, and is not the script yet."""

LATE = """\
import os, sys, time
time.sleep(float(sys.argv[1]))
import {module}.late
assert os.path.isfile(sys.prefix + "/pyvenv.cfg")
assert {module}.late.V == "1.0"
print(sys.prefix)
"""
BARE_LATE = LATE.replace("import {module}.late\n", "").replace('assert {module}.late.V == "1.0"\n', "")

SLEEPER = """\
import sys
print("asleep", flush=True)
sys.stdin.read()
import {module}.late
print({module}.late.V)
"""


class Hammer:
    """A user's launches and removals, until the time is over; `seen` holds the environments that scripts ran in."""

    def __init__(self, user: User, scripts: list[Path], grace: int, tally: Tally) -> None:
        self.user = user
        self.scripts = scripts
        self.removal = ("scriptrun", "cache", "prune", "--all", "--grace", str(grace))
        self.tally = tally
        self.over = threading.Event()
        self.seen: set[str] = set()

    def launch(self, chance: random.Random) -> None:
        """Launch scripts one after the other, with pauses; each looks late whether its environment is there."""
        while not self.over.wait(chance.choice((0, 0, 0.02 * chance.random(), 0.5 * chance.random()))):
            script = chance.choice(self.scripts)
            held = chance.random() < 0.3
            status, out, err = self.user.run(*HELD * held, script, str(chance.choice((0, 0, 0.3 * chance.random()))))
            self.tally.expect((0, 1, ""), (status, out.count("\n"), err), script.name)
            self.tally.count("launches")
            self.tally.count("of them held before they became the script", int(held))
            self.tally.count("of them in an environment that was there", int(out in self.seen))
            self.seen.add(out)

    def remove(self, chance: random.Random) -> None:
        """Remove all that is not in use, again and again."""
        while not self.over.wait(chance.choice((0, 0.3 * chance.random()))):
            status, out, err = self.user.run(*self.removal)
            self.tally.expect((0, ""), (status, err), " ".join(self.removal))
            self.tally.count("prunes")
            removed = re.search(r"removed (\d+)", out)
            self.tally.count("removals", int(removed.group(1)) if removed else 0)


def hammer(user: User, index: Index, seconds: float, grace: int, seed: int) -> Tally:
    """Launch and remove for so many seconds, with this grace period in seconds."""
    tally = Tally(f"hammer, grace {grace}")
    scripts = wares.write_many(user, index, SCRIPTS, LATE) + [_bare(user, one) for one in range(BARE)]
    (sleeper,) = wares.write_many(user, index, 1, SLEEPER, "sleeper")
    at_work = Hammer(user, scripts, grace, tally)
    with _asleep(user, sleeper, tally), ThreadPoolExecutor(LAUNCHERS + 1) as threads:
        parts = [at_work.remove] + [at_work.launch] * LAUNCHERS
        ends = [threads.submit(part, random.Random(f"{seed} {one}")) for one, part in enumerate(parts)]
        time.sleep(seconds)
        at_work.over.set()
        for end in ends:
            end.result()
    return tally


def _bare(user: User, number: int) -> Path:
    """Write a script without requirements; an option gives it a key of its own."""
    head = f"# /// script\n# [tool.scriptrun]\n# exclude-newer = '2026-01-{number + 1:02}'\n# ///\n"
    return user.write(f"bare{number}.py", f"#!/usr/bin/env scriptrun\n{head}{BARE_LATE}", executable=True)


@contextlib.contextmanager
def _asleep(user: User, script: Path, tally: Tally) -> Iterator[None]:
    """Have a script sleep during the block, which then imports what it has not looked at before."""
    process = subprocess.Popen(
        [script], cwd=user.directory, env=user.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    tally.expect("asleep\n", process.stdout.readline(), "the sleeper")
    try:
        yield
    finally:
        out, _ = process.communicate(timeout=LIMIT)
        tally.expect((0, "1.0\n"), (process.returncode, out), "the sleeper")
        tally.count("slept through all of it", int(process.returncode == 0))
