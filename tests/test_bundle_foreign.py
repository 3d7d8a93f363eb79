"""Bundles for Pythons and machines that are not here: what is chosen for them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import varied
from support.index import Index
from support.user import User

from scriptrun import arguments, request
from scriptrun.bundle import locking, target, wheels
from scriptrun.bundle.wheels import Collected
from scriptrun.resolve import Wanted

LINUX, MAC, WINDOWS = "manylinux_2_28_aarch64", "macosx_12_0_arm64", "win_amd64"


def silent(_line: str) -> None:
    """Nobody waits for this."""


def wanted(user: User, script: Path, *platforms: str, python: str = "3.12") -> Wanted:
    """Return what a bundle of a script for a Python elsewhere is made from, with a lock."""
    environ = user.environment()
    options = ["--python", python] if python else []
    asked = request.read(arguments.parse([*options, str(script)], environ), environ)
    return locking.lock(target.resolve(asked, environ, platforms), environ, silent)


def collect(user: User, directory: Path, found: Wanted) -> Collected:
    """Collect the wheels for what is wanted, in a directory that is made."""
    directory.mkdir()
    return wheels.collect(found, user.environment(), str(directory), silent)


def native(tag: str, version: str = "1.0") -> tuple[str, bytes]:
    """Return a wheel of `native` for a tag; its module says which."""
    return varied.wheel("native", version, {"native.py": f"T = {tag!r}\n".encode()}, tag=tag)


@pytest.fixture
def served(user: User, index: Index) -> Index:
    """An index that the user's pip asks."""
    user.variables["PIP_INDEX_URL"] = index.url
    return index


CHOSEN = [
    (LINUX, "cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64"),
    ("manylinux2014_x86_64", "cp312-cp312-manylinux_2_5_x86_64.manylinux1_x86_64"),
    ("musllinux_1_2_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
    (MAC, "cp310-abi3-macosx_11_0_arm64"),
    (WINDOWS, "cp312-cp312-win_amd64"),
]


@pytest.mark.parametrize(("platform", "tag"), CHOSEN)
def test_wheels_for_the_platform(user: User, served: Index, tmp_path: Path, platform: str, tag: str) -> None:
    """Of a native distribution, the wheel for that very platform and Python is chosen; older systems' count."""
    tags = [tag for _, tag in CHOSEN]
    served.add(*(native(one) for one in [*tags, *(one.replace("cp312", "cp311") for one in tags)]))
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "native"), platform))
    assert [one.file for one in collected.wheels] == [f"native-1.0-{tag}.whl"]
