"""The samples, each from its shebang, with real dependencies from the index that this machine's pip asks."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import pytest
from support import user as users
from support.user import User

SAMPLES = Path(__file__).parent.parent / "samples"

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def user(tmp_path: Path, command: Path) -> User:
    """A user with a home of their own, the samples in their directory, and this machine's configuration of pip."""
    directory, home = tmp_path / "samples", tmp_path / "home"
    shutil.copytree(SAMPLES, directory)
    home.mkdir()
    return User(
        home,
        directory,
        {**users.variables_of_this_machine(), "HOME": str(home), "PATH": f"{command.parent}:/usr/bin:/bin"},
    )


def test_every_sample_is_tested() -> None:
    """Each sample can be executed, and has a test here."""
    names = [path.stem for path in sorted(SAMPLES.glob("*.py"))]
    assert names
    assert [name for name in names if f"test_{name}" not in globals()] == []
    assert all(os.access(SAMPLES / f"{name}.py", os.X_OK) for name in names)


def test_hello(user: User) -> None:
    """`hello.py` greets by name, in a frame that its dependency draws, the second time as the first."""
    for state in ("cold", "warm"):
        status, out, err = user.run("./hello.py", "Ada", PYTHONIOENCODING="utf-8")
        assert (status, err) == (0, ""), state
        assert "Hello, Ada!" in out
        assert out.startswith("╭─")


def test_daylight(user: User) -> None:
    """`daylight.py` prints its report, and draws a plot of the size that it asks for."""
    status, out, _ = user.run("./daylight.py", "plot.png", "0", "52")
    assert (status, out) == (0, "    0° N: 12.0 to 12.0 hours\n   52° N:  7.5 to 16.5 hours\n")
    plot = (user.directory / "plot.png").read_bytes()
    assert plot.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", plot[16:24]) == (1080, 600)


def test_table(user: User) -> None:
    """`table.py` makes the same table of CSV and of JSON on standard input."""
    table = "| city   |   people |\n|--------|----------|\n| Oslo   |   709037 |\n"
    assert user.run("./table.py", "github", stdin=b"city,people\nOslo,709037\n") == (0, table, "")
    assert user.run("./table.py", "github", stdin=b'[{"city": "Oslo", "people": 709037}]') == (0, table, "")


def test_tidy(user: User) -> None:
    """`tidy.py` runs the command that its dependency brings along, and passes on what that finds."""
    user.write("good.py", "import sys\n")
    user.write("bad.py", "import sys\nimport os\n")
    assert user.run("./tidy.py", "good.py") == (0, "tidy\n", "")
    status, out, _ = user.run("./tidy.py", "good.py", "bad.py")
    assert (status, out.splitlines()[-1]) == (1, "untidy: imports")
    assert "-import os\n" in out
