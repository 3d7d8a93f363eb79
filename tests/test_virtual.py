"""Virtual environments that are laid out by hand are what the interpreter's own `venv` makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.user import User

from scriptrun import interpreters, virtual
from scriptrun.interpreter import Interpreter

LOOK = """\
import json, site, sys, sysconfig
print(json.dumps([sys.prefix, sys.base_prefix, sys.path, sysconfig.get_paths(), site.ENABLE_USER_SITE, sys.executable]))
"""


def identify(python: Path, user: User) -> Interpreter:
    """Return what scriptrun knows of a Python."""
    found = interpreters.identify(str(python), str(user.directory), os.environ)
    assert found is not None
    return found


def look(environment: Path) -> Any:
    """Return how a virtual environment's Python sees itself, without where it is."""
    finished = subprocess.run(
        [environment / "bin/python", "-I", "-c", LOOK], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(finished.stdout.replace(str(environment), "ENV"))


def links(environment: Path) -> dict[str, str]:
    """Return the symbolic links and directories of a virtual environment, and where they lead in the end."""
    return {
        str(path.relative_to(environment)): os.path.realpath(path).replace(str(environment), "ENV")
        for path in environment.rglob("*")
        if path.is_symlink() or path.is_dir()
    }


@pytest.mark.slow
def test_layout_is_what_venv_makes(user: User, pythons: list[Path]) -> None:
    """Every Python sees the same prefixes, paths and directories as in an environment of its own `venv`."""
    for python in pythons:
        ours, theirs = (user.directory / name / python.name for name in ("ours", "theirs"))
        ours.mkdir(parents=True)
        virtual.create(str(ours), identify(python, user), os.environ)
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", theirs], check=True, timeout=60)
        assert look(ours) == look(theirs)
        expected = {name: target for name, target in links(theirs).items() if not name.startswith("include/")}
        assert links(ours) == expected


def test_other_implementations_make_their_own(user: User, pythons: list[Path]) -> None:
    """Where links are not known to be enough, the interpreter's `venv` is started."""
    python = identify(pythons[-1], user)
    other = Interpreter(**{**python._asdict(), "implementation": "other"})
    environment = user.directory / "env"
    environment.mkdir()
    virtual.create(str(environment), other, os.environ)
    assert (environment / "bin/activate").exists()
    assert look(environment)[0] == "ENV"
