"""Kill the builder, or its pip, at a random moment of a first run, and look at the next run and at the cache."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import watch
from support.index import Index
from support.user import User

from faults import wares
from faults.tally import Tally

LANES = 2
"""How many first runs are under way at once, each in a cache of its own."""

BEYOND = 1.05
"""Moments are taken from so much of the time that a first run takes."""


class Lane:
    """A user whose first runs are killed, one after the other; `usual` is what the cache holds after a first run."""

    def __init__(self, user: User, chance: random.Random, tally: Tally) -> None:
        self.user = user
        self.chance = chance
        self.tally = tally
        self.run()  # fills pip's cache, and what bytecode there is
        self.forget()
        self.duration = self.run()
        self.usual = contents(user)
        self.forget()
        self.pip_duration = self.measure_pip()

    def forget(self) -> None:
        """Remove the cache, so that the next run is a first one."""
        shutil.rmtree(self.user.cache)

    def run(self, after: str = "undisturbed") -> float:
        """Run the script, which must succeed; return how long it took, in seconds."""
        started = time.perf_counter()
        self.tally.expect(wares.RIGHT, tuple(self.user.run("./s.py")), after)
        return time.perf_counter() - started

    def measure_pip(self) -> float:
        """Return for how long pip is there in a first run, in seconds."""
        running = watch.start(self.user, "./s.py")
        pip = find_pip(running)
        assert pip is not None
        started = time.perf_counter()
        watch.await_end([pip])
        ended = time.perf_counter()
        watch.end(running)
        self.forget()
        return ended - started

    def kill_builder(self) -> None:
        """Kill scriptrun at a random moment."""
        moment = self.chance.uniform(0, BEYOND * self.duration)
        running = watch.start(self.user, "./s.py")
        time.sleep(moment)
        running.kill()
        status, out, err = watch.end(running)
        where = f"killed after {moment:.4f} s, {state(self.user)}"
        self.tally.count(f"killed {state(self.user)}" if status else "not killed any more")
        self.tally.expect(("", ""), (out.removeprefix(wares.RIGHT[1]), err), f"what was {where}")
        self.look_at_the_next(where)

    def kill_pip(self) -> None:
        """Kill pip at a random moment of its life; scriptrun then fails, unless pip was done."""
        moment = self.chance.uniform(0, BEYOND * self.pip_duration)
        running = watch.start(self.user, "./s.py")
        pip = find_pip(running)
        time.sleep(moment)
        killed = pip is not None and kill(pip)
        status, out, err = watch.end(running)
        where = f"pip killed {moment:.4f} s after its start"
        if status:
            self.tally.count("killed, and the run failed")
            self.tally.expect((True, 125, "", True), (killed, status, out, told(err)), where)
            self.tally.expect("before anything was built", state(self.user), where)
        else:
            self.tally.count("killed when its work was done" if killed else "not killed any more")
            self.tally.expect(wares.RIGHT, (status, out, err), where)
        self.look_at_the_next(where)

    def look_at_the_next(self, where: str) -> None:
        """Run again, at once, and compare what the cache holds then with what it holds after an undisturbed run."""
        builds = not self.user.environments()
        duration = self.run(f"the run after one {where}")
        self.duration = duration if builds else self.duration  # machines are busy to different degrees
        held = contents(self.user)
        self.tally.expect(
            (set(), set()), (held - self.usual, self.usual - held), f"left, and missing, after one {where}"
        )
        self.forget()


def builders(new_user: Callable[[str], User], index: Index, count: int, seed: int) -> Tally:
    """Kill scriptrun at so many moments."""
    return _in_lanes("builder killed", Lane.kill_builder, (new_user, index, count, seed))


def pips(new_user: Callable[[str], User], index: Index, count: int, seed: int) -> Tally:
    """Kill pip at so many moments."""
    return _in_lanes("pip killed", Lane.kill_pip, (new_user, index, count, seed))


def _in_lanes(
    name: str, kill_one: Callable[[Lane], None], given: tuple[Callable[[str], User], Index, int, int]
) -> Tally:
    new_user, index, count, seed = given
    tally = Tally(name)
    wares.stock(index)

    def go(number: int) -> None:
        user = new_user(f"{name}-{number}".replace(" ", "-"))
        wares.write(user, index)
        lane = Lane(user, random.Random(f"{seed} {name} {number}"), tally)
        for _ in range(number, count, LANES):
            kill_one(lane)
            tally.count("moments")

    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(go, range(LANES)))
    return tally


def state(user: User) -> str:
    """Return how far the builder came, as the cache shows it."""
    if list(user.cache.glob("v1/launch/**/@record")):
        return "when all was done"
    if list(user.cache.glob("v1/keys/*")):
        return "when it was published"
    if user.environments():
        return "when it was complete"
    return "while it was built" if list(user.cache.glob("v1/envs/*/*")) else "before anything was built"


def contents(user: User) -> set[str]:
    """Return the paths of all that is in the cache; a lone environment is called `LONE`.

    Not of locks and bytecode, nor of what was being gathered by who died: that goes after a while.
    """
    found = set()
    environments = [path.relative_to(user.cache) for path in user.environments()]
    for path in user.cache.rglob("*"):
        name = path.relative_to(user.cache)
        if name.parts[1:2] in (("locks",), ("pruned",)) or "__pycache__" in name.parts:
            continue
        if name.parts[1:2] == ("store",) and re.search(r"\.\d+\.[0-9a-f]{8}$", "/".join(name.parts[2:3])):
            continue
        if len(environments) == 1 and name.is_relative_to(environments[0]):
            name = environments[0].with_name("LONE") / name.relative_to(environments[0])
        found.add(str(name))
    return found


def find_pip(running: subprocess.Popen[str]) -> int | None:
    """Wait until a run has started its pip and return that process; None where the run ends without."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while running.poll() is None:
        try:
            for child in children.read_text().split():
                if b"pip_child.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def kill(pid: int) -> bool:
    """Kill a process; return whether it was still there, if only unburied."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def told(err: str) -> bool:
    """Tell whether a failed run said so as it should."""
    return err.startswith("scriptrun: error: ") and "Traceback" not in err
