"""Break into what keeps distributions, puts environments together from them, and removes them: at any system call.

strace kills the process before a call that changes the cache, or lets the call fail; the calls are counted by name.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from support import index as indexes
from support import watch
from support.index import Index
from support.user import User

from faults import crowd, kills, wares
from faults.tally import Tally
from scriptrun.store import kept

LANES = 2

CALLS = "mkdir,rename,link,linkat,ioctl,unlink,rmdir,chmod,write,fsync,syncfs"
"""What changes a cache."""

ERRORS = ("ENOSPC", "EIO")

RUN = ("scriptrun", "s.py")
REMOVAL = ("scriptrun", "cache", "prune", "--all", "--grace", "0")
VERIFY = ("scriptrun", "cache", "verify")

Moment = tuple[str, int]
"""A system call, and which one of that name."""


@dataclass(frozen=True)
class Work:
    """Something that is broken into: a command, and what it finds."""

    name: str
    command: tuple[str, ...]
    begin: Callable[[User], object]


def _nothing(user: User) -> None:
    """Let a run be the first one: pip is asked, and what it installs is kept."""
    shutil.rmtree(user.cache, ignore_errors=True)
    _know_interpreters(user)


def _store(user: User) -> None:
    """Let a run find pip's answer, and all that it takes in the store."""
    _nothing(user)
    assert tuple(user.run(*RUN)) == wares.RIGHT
    for path in user.cache.glob("v1/envs/*"):
        shutil.rmtree(path)
    for name in ("launch", "answers", "keys"):
        shutil.rmtree(user.cache / "v1" / name)


def _environment(user: User) -> None:
    """Let a removal find an environment, and what it holds."""
    _nothing(user)
    assert tuple(user.run(*RUN)) == wares.RIGHT


def _know_interpreters(user: User) -> None:
    """Let be known what Pythons there are: to ask one starts a process, and writes."""
    assert user.run("scriptrun", "plain.py").status == 0
    for name in ("envs", "keys", "launch", "answers", "locks"):
        shutil.rmtree(user.cache / "v1" / name)


WORKS = (
    Work("while it is kept", RUN, _nothing),
    Work("while it is put together", RUN, _store),
    Work("while it is removed", REMOVAL, _environment),
)


class Lane:
    """A user for whom one kind of work is broken into, again and again."""

    def __init__(self, user: User, work: Work, tally: Tally) -> None:
        self.user = user
        self.work = work
        self.tally = tally
        self.trace = user.home.parent / "trace"
        self.user.script("plain.py")
        work.begin(user)
        self.saved = user.home.parent / "saved"
        subprocess.run(["cp", "-a", user.cache, self.saved], check=True)
        self.break_into("trace=" + CALLS)
        names = re.findall(r"^(\w+)\(", self.trace.read_text(), re.MULTILINE)
        names = names[: len(names) - names[::-1].index("rename")] if work.command == RUN else names  # then the script's
        self.moments = [(name, names[: number + 1].count(name)) for number, name in enumerate(names)]
        self.look("undisturbed")
        self.usual = kills.contents(user)

    def break_into(self, *rules: str) -> tuple[int, str, str]:
        """Do the work under strace with these rules, and return how it ended."""
        told = [word for rule in rules for word in ("-e", rule)]
        return watch.end(watch.start(self.user, "strace", "-o", str(self.trace), *told, *self.work.command))

    def restore(self) -> None:
        """Let the work find what it found at first; what is one file by several names is so again."""
        shutil.rmtree(self.user.cache)
        subprocess.run(["cp", "-a", self.saved, self.user.cache], check=True)

    def kill(self, moment: Moment) -> None:
        """Kill the process at a moment, and look what that did."""
        self.tally.count("moments")
        self.restore()
        rule = f"inject={moment[0]}:signal=SIGKILL:when={moment[1]}"
        status, out, err = self.break_into("trace=" + CALLS, rule)
        where = f"killed at {moment[0]} {moment[1]}"
        self.tally.expect((-9, "", ""), (status, out, err), where)
        self.tally.count(f"killed {self.work.name}")
        self.look(where)
        self.tally.expect(self.usual, kills.contents(self.user), f"what is there after it was {where}")

    def refuse(self, moment: Moment, error: str) -> None:
        """Let one call fail, and look what that did: the work is done all the same, or said not to be."""
        self.tally.count("moments")
        self.restore()
        status, out, err = self.break_into("trace=" + CALLS, f"inject={moment[0]}:error={error}:when={moment[1]}")
        where = f"{error} of {moment[0]} {moment[1]}"
        if (status, out, err) == wares.RIGHT or self.work.command != RUN:
            self.tally.expect((True, ""), (status in (0, 125), err * (status == 0)), where)
            self.tally.count(f"{error} made no difference {self.work.name}")
        else:
            self.tally.expect((125, "", True), (status, out, kills.told(err)), where)
            self.tally.count(f"{error} {self.work.name}")
            self.tally.expect([], leavings(self.user), f"left after {where}")
        self.look(where)

    def look(self, where: str) -> None:
        """Run, or remove, again, at once; everything must be sound, and nothing of the store be writable."""
        if self.work.command == RUN:
            self.tally.expect(wares.RIGHT, tuple(self.user.run(*RUN)), f"the next run, {where}")
        else:
            self.tally.expect((0, ""), tuple(self.user.run(*self.work.command))[::2], f"the next removal, {where}")
            self.tally.expect([], list(self.user.cache.glob("v1/store/*")), f"left in the store, {where}")
            self.tally.expect(wares.RIGHT, tuple(self.user.run(*RUN)), f"the next run, {where}")
        self.tally.expect((0, "", ""), tuple(self.user.run(*VERIFY)), f"what is said to be damaged, {where}")
        self.tally.expect([], writable(self.user), f"what can be written to, {where}")


def leavings(user: User) -> list[str]:
    """Return what is in the store and the directory of environments without being complete."""
    store = [path.name for path in user.cache.glob("v1/store/*")]
    unfinished = [name for name in store if re.search(r"\.\d+\.[0-9a-f]{8}$", name)]
    return unfinished + [str(path) for path in user.cache.glob("v1/envs/*/*") if not (path / "scriptrun.json").exists()]


def writable(user: User) -> list[str]:
    """Return the files in the store that somebody may write to: the links in environments are the same files.

    What a killed builder left half done is nobody's, until a removal takes it away.
    """
    whole = [path for path in user.cache.glob("v1/store/*") if kept.is_name(path.name)]
    files = [path for one in whole for path in one.glob("content/site/**/*") if path.is_file()]
    return [str(path) for path in files if path.stat().st_mode & 0o222]


def killed(new_user: Callable[[str], User], index: Index, count: int, seed: int) -> Tally:
    """Kill each kind of work at so many moments."""

    def go(lane: Lane, chance: random.Random) -> None:
        for moment in chosen(lane.moments, count, chance):
            lane.kill(moment)

    return _in_lanes("store, killed", go, (new_user, index, seed))


def refused(new_user: Callable[[str], User], index: Index, count: int, seed: int) -> Tally:
    """Refuse so many of the calls of each kind of work; a full or broken disk does not refuse to remove a name."""

    def go(lane: Lane, chance: random.Random) -> None:
        moments = [moment for moment in lane.moments if moment[0] not in ("ioctl", "unlink", "rmdir")]
        for moment in chosen(moments, count, chance):
            lane.refuse(moment, chance.choice(ERRORS))

    return _in_lanes("store, refused", go, (new_user, index, seed))


def chosen(moments: list[Moment], count: int, chance: random.Random) -> Iterator[Moment]:
    """Yield so many moments: of each system call as many as of the others, so far as there are."""
    chance.shuffle(moments)
    left = {name: [moment for moment in moments if moment[0] == name] for name in sorted({name for name, _ in moments})}
    names = list(left)
    chance.shuffle(names)
    for name in itertools.islice(itertools.cycle(names), count):
        if left[name]:
            yield left[name].pop()


def _in_lanes(
    name: str, go: Callable[[Lane, random.Random], None], given: tuple[Callable[[str], User], Index, int]
) -> Tally:
    new_user, index, seed = given
    tally = Tally(name)
    wares.stock(index)

    def work(number: int) -> None:
        user = new_user(f"{name}-{number}".replace(", ", "-"))
        wares.write(user, index)
        go(Lane(user, WORKS[number], tally), random.Random(f"{seed} {name} {number}"))

    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(work, range(len(WORKS))))
    return tally


SHARED = "import shared.late, {module}.late\nassert shared.late.V == {module}.late.V == '1.0'\nprint('right')\n"


def sharers(user: User, index: Index, scripts: int, rounds: int) -> Tally:
    """Build so many environments that share a distribution at once, and again from the store, beside removals."""
    tally = Tally(f"{scripts} builders of one store")
    index.add(indexes.wheel("shared", "1.0", files={"shared/__init__.py": "", "shared/late.py": "V = '1.0'\n"}))
    written = wares.write_many(user, index, scripts, SHARED)
    for script in written:
        script.write_text(script.read_text().replace("# dependencies = [", '# dependencies = [\n#   "shared",'))
    _run_all(user, written, tally)
    tally.count("starts of pip", sum(wares.pips(index).values()))
    tally.expect(scripts + 1, len(list(user.cache.glob("v1/store/*"))), "distributions in the store")
    tally.expect((0, "", ""), tuple(user.run(*VERIFY)), "what is said to be damaged")
    with crowd.repeated(user, [("scriptrun", "cache", "prune", "--grace", "0")], tally):
        for _ in range(rounds):
            for path in user.environments():  # at once: what is half gone is removed by others as well
                path.rename(user.home / path.name)
            _run_all(user, written, tally)
    tally.expect((0, "", ""), tuple(user.run(*VERIFY)), "what is said to be damaged after removals")
    tally.expect([], writable(user), "what can be written to")
    tally.expect((0, ""), tuple(user.run(*REMOVAL))[::2], "the removal of everything")
    tally.expect([], list(user.cache.glob("v1/store/*")), "left in the store")
    return tally


def _run_all(user: User, scripts: list[Path], tally: Tally) -> None:
    running = [watch.start(user, script) for script in scripts]
    for script, process in zip(scripts, running, strict=True):
        tally.expect(wares.RIGHT, watch.end(process), f"a run of {script.name}")
        tally.count("runs")
