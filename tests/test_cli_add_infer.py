"""`scriptrun add SCRIPT --infer`: what is known is added, what is guessed is named, nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import index as indexes
from support.index import Index
from support.user import User

from scriptrun import block, metadata

HEAD = "#!/usr/bin/env scriptrun\n"


@pytest.fixture
def user(user: User, index: Index) -> User:
    """A user whose index has a few distributions, one of them registered under the name of somebody's module."""
    user.variables["PIP_INDEX_URL"] = index.url
    index.add(
        indexes.wheel("pyyaml", "6.0.2", files={"yaml/__init__.py": ""}),
        indexes.wheel("requests", "2.32.0"),
        indexes.wheel("nobody-knows-this", "1.0"),
    )
    return user


def dependencies(path: Path) -> list[str]:
    """Return what a script asks for."""
    found, _ = block.cut(path.read_bytes(), path.name)
    return [str(one.requirement) for one in metadata.parse(found, path.name, "/").dependencies]


@pytest.mark.slow
def test_known_ones_are_added(user: User) -> None:
    """Distributions of modules that are imported are added, with bounds; what is optional or beside it is not."""
    body = "import os, yaml, beside\nfrom requests import get\ntry:\n  import cv2\nexcept ImportError:\n  pass\n"
    path = user.write("s.py", HEAD + body)
    user.write("beside.py", "")
    status, out, err = user.run("scriptrun", "add", "s.py", "--infer")
    assert (status, out) == (0, "")
    assert dependencies(path) == ["pyyaml>=6.0.2", "requests>=2.32.0"]
    assert "scriptrun: note: s.py:2: `yaml` is in pyyaml\n" in err
    assert path.read_text().endswith(body)
    before = path.read_bytes()
    status, out, err = user.run("scriptrun", "add", "s.py", "--infer")
    assert (status, out, err) == (0, "", "scriptrun: note: `s.py` imports nothing that is not provided for\n")
    assert path.read_bytes() == before
    assert user.run("scriptrun", "check", "s.py", "--ignore=SR405").status == 0


@pytest.mark.slow
def test_guesses_are_never_installed(user: User, index: Index) -> None:
    """A module that no well-known distribution has is named, with the command that adds it; no index is asked."""
    path = user.write("s.py", HEAD + "import nobody_knows_this\nimport yaml\n")
    status, out, err = user.run("scriptrun", "add", "s.py", "--infer")
    assert (status, out) == (0, "")
    assert dependencies(path) == ["pyyaml>=6.0.2"]
    warning = "s.py:2: `nobody_knows_this` is imported; that `nobody-knows-this` provides it is a guess, and not added"
    command = "scriptrun add s.py nobody-knows-this"
    assert f"scriptrun: warning: {warning}; if it is right: {command}\n" in err
    assert [path for path in index.requests if "nobody" in path] == []
    assert user.run(*command.split()).status == 0
    assert dependencies(path) == ["nobody-knows-this>=1.0", "pyyaml>=6.0.2"]


@pytest.mark.slow
def test_only_guesses(user: User, index: Index) -> None:
    """Where there is nothing but guesses the file stays as it is, and nobody is asked."""
    path = user.write("s.py", HEAD + "import nobody_knows_this\n")
    before = path.read_bytes()
    status, out, err = user.run("scriptrun", "add", "s.py", "--infer")
    assert (status, out, err.count("\n")) == (0, "", 1)
    assert user.run("scriptrun", "add", "s.py", "--infer", "-q") == (0, "", "")
    assert (path.read_bytes(), index.requests) == (before, [])


@pytest.mark.slow
def test_with_requirements(user: User) -> None:
    """What is named on the command line is added too, and counts as declared."""
    path = user.write("s.py", HEAD + "import yaml, requests\n")
    assert user.run("scriptrun", "add", "s.py", "requests<3", "--infer", "--bounds=none").status == 0
    assert sorted(dependencies(path)) == ["pyyaml", "requests<3"]


def test_program_that_cannot_be_parsed(user: User) -> None:
    """A program that is not Python is an error with its line, and stays as it is."""
    path = user.write("s.py", HEAD + "import yaml\nx = (\n")
    before = path.read_bytes()
    status, out, err = user.run("scriptrun", "add", "s.py", "--infer")
    assert (status, out) == (125, "")
    assert err.startswith("scriptrun: error: s.py:3: what it imports cannot be told: ")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_wrong_use(user: User) -> None:
    """Neither a requirement nor `--infer` is wrong use."""
    user.write("s.py", HEAD)
    assert user.run("scriptrun", "add", "s.py").status == 2
    assert user.run("scriptrun", "add", "--infer").status == 2
