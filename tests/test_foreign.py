"""Scripts as they are written for other runners: each runs, or is refused with a reason."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

FOREIGN = Path(__file__).parent / "data" / "foreign"
SCRIPTS = sorted(FOREIGN.glob("*.py"))

NOX = """\
def session(function):
    return function
def main():
    print("sessions")
"""
MARIMO = """\
class App:
    def __init__(self, width):
        self.cells = []
    def cell(self, function):
        self.cells.append(function)
    def run(self):
        for cell in self.cells:
            cell()
"""


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Index, Index]]:
    """Two indexes; the first has what is newer, and says when it was uploaded."""
    with indexes.serve() as first, indexes.serve() as second:
        first.add(
            *(indexes.wheel("demo", version) for version in ("1.0", "1.5", "2.0")),
            indexes.wheel("other", "1.0"),
            indexes.wheel("tool", "1.0"),
            *(indexes.wheel("early", version) for version in ("1.0", "2.0a1")),
            indexes.wheel("only-early", "2.0a1"),
            indexes.wheel("nox", "1.0", files={"nox.py": NOX}),
            indexes.wheel("marimo", "1.0", files={"marimo.py": MARIMO}),
        )
        first.uploaded = dict.fromkeys(first.files, "2024-01-01T00:00:00Z")
        first.uploaded["demo-1.5-py3-none-any.whl"] = "2025-06-01T12:00:00Z"
        first.uploaded["demo-2.0-py3-none-any.whl"] = "2026-01-01T00:00:00Z"
        second.add(indexes.wheel("demo", "0.5"), indexes.wheel("other", "9.0"))
        yield first, second


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, command: Path, both: tuple[Index, Index]) -> User:
    """A user with all scripts, the project `library`, a repository of it, and a directory of wheels."""
    user = users.create(tmp_path_factory.mktemp("foreign"), command, both[0].url)
    for script in SCRIPTS:
        text = script.read_bytes()
        for host, index in zip((b"index", b"second"), both, strict=True):
            text = text.replace(b"https://%s.example/" % host, index.url.removesuffix("simple/").encode())
        user.write(script.name, text, executable=True)
    shutil.copytree(FOREIGN / "library", user.directory / "library")
    name, content = indexes.wheel("demo", "0.7")
    user.write(f"links/{name}", content)
    base = make_repository(user).parent.as_uri()
    (user.home / ".gitconfig").write_text(f'[url "{base}/"]\n\tinsteadOf = https://git.example/\n')
    return user


def make_repository(user: User) -> Path:
    """Make a repository with the project in a directory, tagged `v1`, and changed after that; return it."""
    repository = user.home / "git" / "repository"
    shutil.copytree(FOREIGN / "library", repository / "packages" / "library")
    commit(repository, "first")
    git(repository, "tag", "v1")
    (repository / "packages/library/src/library/__init__.py").write_text("V = 'changed'\n")
    commit(repository, "second")
    return repository


def commit(repository: Path, message: str) -> None:
    """Commit all that is there, in a repository that is made if need be."""
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "-c", "user.name=Ada", "-c", "user.email=ada@host.example", "commit", "-q", "-m", message)


def git(repository: Path, *arguments: str) -> None:
    """Run git in a repository."""
    subprocess.run(["git", *arguments], cwd=repository, check=True)


def test_there_are_scripts() -> None:
    """There are scripts of many kinds, each with its expectation beside it."""
    assert len(SCRIPTS) >= 20
    assert {path.stem for path in SCRIPTS} == {path.stem for path in FOREIGN.glob("*.txt")}
    assert b"\r\n" in (FOREIGN / "crlf.py").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(user: User, path: Path) -> None:
    """A script from another directory than its own ends with the status, and says, what the text beside it says."""
    finished = user.run("scriptrun", f"{user.directory}/{path.name}", cwd=user.home)
    err = finished.err.replace(f"{user.directory}/", "")
    err = re.sub(r"(?m)^  .*\n", "", err)  # pip's own lines
    assert path.with_suffix(".txt").read_text("utf-8") == f"{finished.status}\n{finished.out}{err}"
