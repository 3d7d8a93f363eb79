"""On one host, for one user and then for everybody: what docs/fleet.md says of it, followed word for word."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support import cron, pages
from support.cron import Machine
from support.index import Index, wheel

pytestmark = pytest.mark.slow

SECTION = pages.section("docs/fleet.md", "One host")
HUMANIZE = "def naturalsize(size):\n    return '182.5 GB'\n"


def follow(machine: Machine, number: int, user: str) -> None:
    """Run the commands of a block in one shell of a user's; each has to write what is shown there."""
    pages.follow(pages.commands(SECTION, number), partial(machine.must, user=user), "~")


def test_from_the_lock_to_everybody(programs: Path, index: Index) -> None:
    """Ada locks, prepares and runs, offline too; root prepares for all; bob, who has no index, starts in that."""
    index.add(wheel("humanize", "4.9.0", files={"humanize.py": HUMANIZE}))
    (program,) = pages.blocks(SECTION, "python")
    with cron.machine(programs) as machine:
        machine.must(f"ln -s {programs}/scriptrun /usr/local/bin/")
        for name in ("ada", "bob"):
            machine.must(f"useradd --create-home --shell /bin/bash {name}")
        machine.write("/etc/pip.conf", f"[global]\nindex-url = {index.url}\n")
        follow(machine, 0, "root")
        machine.write("/srv/job/report.py", program, user="ada")
        follow(machine, 1, "ada")
        follow(machine, 2, "root")
        machine.must("rm /etc/pip.conf; truncate -s 0 /home/bob/.profile")
        requests = len(index.requests)
        follow(machine, 3, "bob")
        assert len(index.requests) == requests
        caches = machine.must("find /home/*/.cache /var/cache/scriptrun -path '*/envs/*' -name scriptrun.json").split()
        keys = {Path(one).parent.parent for one in caches}
        assert {one.parent for one in keys} == {
            Path("/home/ada/.cache/scriptrun/v1/envs"),
            Path("/var/cache/scriptrun/v1/envs"),
        }
        assert len({one.name for one in keys}) == 1
