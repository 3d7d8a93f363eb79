"""Kill who fills the system's cache, at any system call, and look at what other users find there."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

from support import watch
from support.everybody import Everybody
from support.index import Index

from faults import store, wares
from faults.tally import Tally
from scriptrun import launch

FILL = ("scriptrun", "sync", "--system", "s.py")


class Filling:
    """A system's cache that is being filled from its store, and a user who has an environment of their own as well."""

    def __init__(self, machine: Everybody, index: Index, tally: Tally) -> None:
        self.machine = machine
        self.tally = tally
        self.trace = machine.administrator.home / "trace"
        self.saved = machine.root / "saved"
        wares.stock(index)
        wares.write(machine.administrator, index).chmod(0o755)
        machine.other.variables["PIP_INDEX_URL"] = index.url
        assert machine.other.run("./s.py", SCRIPTRUN_SYSTEM_CACHE="").status == 0
        assert machine.administrator.run(*FILL).status == 0
        for name in ("envs", "keys", "launch", "answers"):
            shutil.rmtree(machine.system / "v1" / name, ignore_errors=True)
        subprocess.run(["cp", "-a", machine.system, self.saved], check=True)
        assert self.fill("trace=" + store.CALLS)[0] == 0
        names = re.findall(r"^(\w+)\(", self.trace.read_text(), re.MULTILINE)
        self.moments = [(name, names[: number + 1].count(name)) for number, name in enumerate(names)]
        on_disk = len(names) - names[::-1].index("syncfs")
        self.opening = [moment for moment in self.moments[on_disk:] if moment[0] == "chmod"]

    def fill(self, *rules: str) -> tuple[int, str, str]:
        """Fill the cache under strace with these rules, and return how that ended."""
        told = [word for rule in rules for word in ("-e", rule)]
        return watch.end(watch.start(self.machine.administrator, "strace", "-o", str(self.trace), *told, *FILL))

    def kill(self, moment: store.Moment) -> None:
        """Kill who fills the cache at a moment, look what others find, fill it again, and look again."""
        self.tally.count("moments")
        shutil.rmtree(self.machine.system)
        subprocess.run(["cp", "-a", self.saved, self.machine.system], check=True)
        where = f"killed at {moment[0]} {moment[1]}"
        rule = f"inject={moment[0]}:signal=SIGKILL:when={moment[1]}"
        self.tally.expect(-9, self.fill("trace=" + store.CALLS, rule)[0], where)
        self.tally.count(f"found {self.read(where)}")
        self.tally.expect((0, ""), tuple(self.machine.administrator.run(*FILL))[::2], f"filled again, {where}")
        self.tally.expect("the system's", self.read(where), f"what is found in the end, {where}")
        self.tally.expect([], list(self.machine.system.glob("v1/envs/*/*"))[1:], f"left, {where}")

    def read(self, where: str) -> str:
        """Run the script as another user for the first time; return whose environment that finds."""
        other = self.machine.other
        for name in ("launch", "answers"):
            shutil.rmtree(other.cache / "v1" / name, ignore_errors=True)
        self.tally.expect(wares.RIGHT, tuple(other.run("./s.py")), f"the run of another user, {where}")
        (record,) = other.records()
        environment = Path(launch.recorded(str(record)) or "")
        return "the system's" if environment.is_relative_to(self.machine.system) else "their own"


def killed(machine: Everybody, index: Index, count: int, seed: int) -> Tally:
    """Kill who fills a cache at so many moments, half of them while what is complete is opened to all."""
    tally = Tally("system's cache, killed while it is filled")
    filling = Filling(machine, index, tally)
    chance = random.Random(seed)
    opening = [*chance.sample(filling.opening[:24], count // 2 - 1), filling.opening[-1]]  # directories come first
    for moment in [*opening, *store.chosen(filling.moments, count - len(opening), chance)]:
        filling.kill(moment)
    return tally
