"""Services and timers that `scriptrun systemd` makes, run by a real systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import everybody, machine
from support.index import Index, serve, wheel
from support.machine import HOME, Machine

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def served() -> Iterator[Index]:
    """An index that has scriptrun, what it stands on, and what the scripts of these tests ask for."""
    with serve() as index:
        wheels = [*ROOT.glob(".work/wheels/*.whl"), *ROOT.glob(".work/dist/*.whl")]
        index.add(*((path.name, path.read_bytes()) for path in wheels))
        index.add(wheel("demo", "1.0"))
        index.add(wheel("humanize", "4.0", files={"humanize.py": "def naturalsize(_n): return '12.3 GB'\n"}))
        yield index


@pytest.fixture(scope="module")
def booted(served: Index) -> Iterator[Machine]:
    """A machine without scriptrun, whose pip asks the index."""
    everybody.require_root()
    with machine.booted() as started:
        started.write("/etc/pip.conf", f"[global]\nindex-url = {served.url}\n")
        yield started


def page() -> str:
    """Return the section of docs/cron.md."""
    text = (ROOT / "docs/cron.md").read_text("utf-8")
    (section,) = re.findall(r"^## For everybody: systemd\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(section)


def commands() -> list[tuple[str, str]]:
    """Return the commands of the page, each with what it writes."""
    blocks = re.findall(r"```console\n(.*?)```", page(), re.DOTALL)
    found = [re.findall(r"^# (.*)
((?:[^#].*
)*)", block, re.MULTILINE) for block in blocks]
    return [one for commands in found for one in commands]


@pytest.fixture(scope="module")
def followed(booted: Machine) -> list[tuple[str, str, str]]:
    """What came of the page, followed word for word: command, what it is to write, and what it wrote."""
    (script,) = re.findall(r"```python\n(.*?)```", page(), re.DOTALL)
    booted.write(f"{HOME}/room.py", script)
    done = []
    for command, expected in commands():
        status, out, err = booted.run("sh", "-c", command)
        done.append((command, expected, out + err + (f"status {status}\n" if status else "")))
    return done


@pytest.mark.slow
def test_page(followed: list[tuple[str, str, str]]) -> None:
    """Each command of the page succeeds, and writes what the page shows."""
    assert followed
    assert [(command, got) for command, _, got in followed] == [(command, wanted) for command, wanted, _ in followed]
