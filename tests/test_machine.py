"""The machines that tests are run in: they end, and leave nothing, whatever becomes of the test."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support import cron, everybody, machine
from support.user import LIMIT

HELD = """\
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support import cron
with cron.machine(Path("/nowhere")) as held:
    print(held.path("/"), flush=True)
    sys.stdin.read()
"""


def lives(process: psutil.Process) -> bool:
    """Tell whether a process is there, and not only its status that nobody has asked for yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def groups(name: str) -> list[Path]:
    """Return the control groups of that name."""
    return [path for below in ("", "*/") for path in Path("/sys/fs/cgroup").glob(f"{below}{name}")]


@pytest.mark.slow
def test_a_booted_machine_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where what holds it does not react, all its processes are killed; groups and directories are removed."""
    monkeypatch.setattr(machine, "PATIENCE", 0.1)
    monkeypatch.setattr(machine, "LIMIT", 20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with machine.booted() as booted:
        first = psutil.Process(booted.leader)
        holder = first.parents()[0]
        inside = first.children(recursive=True)
        assert inside
        (directory,) = tmp_path.iterdir()
        assert groups(directory.name)
        holder.suspend()
    assert [one for one in (holder, first, *inside) if lives(one)] == []
    assert list(tmp_path.iterdir()) == []
    assert groups(directory.name) == []


@pytest.mark.slow
def test_a_machine_that_does_not_boot_shows_its_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it ends instead, that is an error at once, which has what it wrote."""
    monkeypatch.setattr(machine, "_MOUNTS", "echo this machine is {0} and broken; exit 3")
    with pytest.raises(AssertionError, match=r"does not boot:\nthis machine is .* and broken\n"), machine.booted():
        pass


@pytest.mark.parametrize("missing", ["systemd-nspawn", "cron"])
def test_what_a_machine_lacks_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """In CI a missing program is a failure that says how to get it."""
    everybody.require_root()
    monkeypatch.setenv("CI", "1")
    monkeypatch.setattr("shutil.which", lambda name, path: None if name == missing else f"{path}/{name}")
    started = cron.machine(Path("/nowhere")) if missing == "cron" else machine.booted()
    with pytest.raises(pytest.fail.Exception, match=f"^{missing} is missing: apt-get install "), started:
        pass


def test_a_machine_with_cron_ends_with_its_test(tmp_path: Path) -> None:
    """When the process of the test is killed, all of the machine's are, and no directory stays."""
    everybody.require_root()
    words = [sys.executable, "-c", HELD, str(Path(__file__).parent)]
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdin is not None
        assert test.stdout is not None
        number = int(Path(test.stdout.readline()).parts[2])
        ended = os.pidfd_open(number)
        test.kill()
    try:
        assert select.select([ended], [], [], LIMIT)[0], f"{number} goes on"
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(ended, signal.SIGKILL)
        os.close(ended)
    assert list(tmp_path.iterdir()) == []
