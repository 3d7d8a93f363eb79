"""Debian's cron runs scripts: one tick, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import cron, everybody
from support.cron import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine(pythons: list[Path]) -> Iterator[Machine]:
    """A machine with Debian's cron."""
    everybody.require_root()
    with everybody.installation(pythons) as programs, cron.machine(programs) as made:
        yield made


def test_installed_job_runs(machine: Machine) -> None:
    """What `scriptrun cron --install` puts into the user's crontab is run by cron, here when the machine starts."""
    machine.add_user("ada")
    body = "import sys; print(sys.prefix); open('/run/done/report', 'w')\n"
    machine.write("/home/ada/report.py", f"# /// script\n# ///\n{body}", user="ada")
    machine.must("scriptrun cron report.py --schedule @reboot --install", user="ada")
    machine.start_cron()
    machine.await_jobs(["report"])
    ((recipient, text),) = machine.mails()
    assert recipient == "ada"
    assert text.startswith("/home/ada/.cache/scriptrun/v1/envs/")
