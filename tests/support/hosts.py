"""Hosts that have a Python and nothing else: no scriptrun, no pip, no network; and bundles that start there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from support import private
from support.user import Finished, User


@dataclass
class Host:
    """A home of its own on a machine without network, and the Python that bundles start with there."""

    user: User
    python: Path

    @property
    def cache(self) -> Path:
        """The cache of this host."""
        return self.user.cache

    def run(self, bundle: Path, *words: str, stdin: bytes = b"", cwd: Path | None = None, **variables: str) -> Finished:
        """Start a bundle to its end, without any network."""
        return self.user.run(*alone(), self.python, bundle, *words, stdin=stdin, cwd=cwd, **variables)

    def environment(self) -> Path:
        """Return the one environment that there is."""
        (found,) = self.user.environments()
        return found


def alone() -> list[str]:
    """Return what starts a command where there is no network, not even a loopback."""
    return ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-n", "--"]


def create(root: Path, python: Path) -> Host:
    """Return a new host below a directory, with a copy of a Python that has nothing but its standard library."""
    root.mkdir()
    (root / "python").mkdir()
    own = private.copy(python, root / "python")
    library = own.parent.parent / "lib" / own.name
    for name in ("ensurepip", "venv", "idlelib", "lib2to3", "distutils"):
        if (library / name).is_symlink():
            (library / name).unlink()
    return of(root, own)


def of(root: Path, python: Path) -> Host:
    """Return a new host below a directory, with the Python that is given."""
    home, directory = root / "home", root / "work"
    home.mkdir(parents=True)
    directory.mkdir()
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SCRIPTRUN_SYSTEM_CACHE": ""}
    return Host(User(home, directory, variables), python)


def make(user: User, script: Path, *words: str) -> Path:
    """Make the bundle of a script and return it."""
    target = user.directory / f"{script.stem}.pyz"
    finished = user.run("scriptrun", "bundle", "-q", str(script), "-o", str(target), *words)
    assert finished == (0, f"{target}\n", ""), finished
    return target


def moved(bundle: Path, directory: Path) -> Path:
    """Return a copy of a bundle elsewhere: another test may damage it."""
    directory.mkdir(exist_ok=True)
    return Path(shutil.copy2(bundle, directory / bundle.name))
