"""What every test can ask for."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import scriptrun

sys.path.insert(0, str(Path(__file__).parent))  # `support` is beside the tests, not part of the package

from support import everybody
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

ROOT = Path(__file__).parent.parent


def pytest_sessionstart() -> None:
    """Refuse to test the source tree: what users get is the wheel."""
    if Path(scriptrun.__file__).is_relative_to(ROOT / "scriptrun"):
        pytest.exit("scriptrun is imported from the source tree; run ./run-tests, which installs the wheel", 3)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with modules that make an image or a cluster for all of their tests, so that one worker runs them.

    Others take over the last tests of a worker, and would make another one.
    """
    items.sort(key=lambda item: item.get_closest_marker("together") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted: they tell it by `record_property("counted", TEXT)`, as workers have no terminal."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    for report in reports:
        for text in [value for name, value in report.user_properties if name == "counted" and report.when == "call"]:
            terminalreporter.write_line(f"{report.nodeid}: {text}")


@pytest.fixture(scope="session")
def command() -> Path:
    """The installed command `scriptrun`."""
    return Path(sysconfig.get_path("scripts")) / "scriptrun"


@pytest.fixture(scope="session")
def shared_index() -> Iterator[Index]:
    """An index with `demo` 1.0 and 2.0, `other` 1.0 (requires demo<2), and `tool` 1.0 with a command; read only."""
    with indexes.serve() as index:
        index.add(
            indexes.wheel("demo", "1.0"),
            indexes.wheel("demo", "2.0"),
            indexes.wheel("other", "1.0", requires=["demo<2"]),
            indexes.wheel(
                "tool",
                "1.0",
                files={"tool.py": "import sys\ndef main():\n    print('tool in', sys.prefix)\n"},
                scripts={"tool": "tool:main"},
            ),
        )
        yield index


@pytest.fixture(scope="session")
def programs(pythons: list[Path]) -> Iterator[Path]:
    """The programs of an installation for everybody; it takes root."""
    everybody.require_root()
    with everybody.installation(pythons) as found:
        yield found


@pytest.fixture
def index() -> Iterator[Index]:
    """An empty index of the test's own."""
    with indexes.serve() as served:
        yield served


@pytest.fixture
def new_user(tmp_path: Path, command: Path, shared_index: Index) -> Callable[[str], User]:
    """Return a function that makes a user whose pip asks the shared index, and nothing else."""

    def make(name: str) -> User:
        return users.create(tmp_path / name, command, shared_index.url)

    return make


@pytest.fixture
def user(new_user: Callable[[str], User]) -> User:
    """A user with a home of their own, whose pip asks the shared index."""
    return new_user("user")


@pytest.fixture(scope="session")
def pythons() -> list[Path]:
    """The Pythons from 3.8 on that this machine has, oldest first; in CI there must be two at least."""
    from support.pythons import find

    found = find()
    if os.environ.get("CI") and len(found) < 2:
        pytest.fail(f"the tests need two Pythons, found {found}")
    return found
