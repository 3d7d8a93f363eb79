"""What is known of projects, on disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from scriptrun import paths
from scriptrun.answers import projects
from scriptrun.order import Distribution, Offer

ONE = Distribution("demo", "1.0", "sha256=aa", "https://host/demo-1.0.whl", requested=True, kept="demo-1.0-aa")


def remember(
    cache: Path, versions: dict[str, tuple[str, ...]], *distributions: Distribution, asked: float = 5.0
) -> None:
    """Remember that pip found these versions of `demo`, and took these distributions."""
    projects.remember(str(cache), "ground", [Offer("demo", asked, versions)], distributions)


def chosen(cache: Path) -> dict[str, Distribution]:
    """Return what pip took of `demo`."""
    found = projects.read(str(cache), "ground", "demo")
    assert found is not None
    return dict(found.chosen)


def test_what_is_known(tmp_path: Path) -> None:
    """All versions are known with whether they were yanked, and what pip took; elsewhere nothing is known."""
    remember(tmp_path, {"2.0": ("!cc", "!dd"), "1.0": ("aa", "!bb"), "0.9": ("",)}, ONE)
    found = projects.read(str(tmp_path), "ground", "demo")
    assert found is not None
    assert (found.name, found.asked) == ("demo", 5.0)
    assert found.versions == ("!2.0", "1.0", "0.9")
    assert [(version, one.kept, one.requested) for version, one in found.chosen.items()] == [
        ("1.0", "demo-1.0-aa", False)
    ]
    assert projects.read(str(tmp_path), "elsewhere", "demo") is None
    assert projects.read(str(tmp_path), "ground", "other") is None


def test_what_is_news_of_what_was_taken_back(tmp_path: Path) -> None:
    """A version whose files are all yanked now is news until that is remembered, and under each ground by itself."""
    offer = Offer("demo", 6.0, {"3.0": ("!cc", "!dd"), "2.0": ("!ee", "ff"), "1.0": ("aa",)})
    assert projects.taken_back(str(tmp_path), "ground", [offer]) == {("demo", "3.0")}
    remember(tmp_path, {"3.0": ("cc", "!dd")})
    assert projects.taken_back(str(tmp_path), "ground", [offer]) == {("demo", "3.0")}
    remember(tmp_path, dict(offer.versions))
    assert projects.taken_back(str(tmp_path), "ground", [offer]) == set()
    assert projects.taken_back(str(tmp_path), "elsewhere", [offer]) == {("demo", "3.0")}


@pytest.mark.parametrize(
    ("files", "known"),
    [
        (("aa", "bb"), True),
        (("aa",), False),
        (("aa", "bb", "ee"), False),
        (("!aa", "bb"), False),
        (("bb", "aa"), False),
    ],
)
def test_choice_counts_while_its_files_are_the_same(tmp_path: Path, files: tuple[str, ...], known: bool) -> None:  # noqa: FBT001 - a case
    """What pip took of a version counts as long as the index has just the same files of it."""
    remember(tmp_path, {"1.0": ("aa", "bb")}, ONE)
    remember(tmp_path, {"2.0": ("cc",), "1.0": files}, asked=6.0)
    assert ("1.0" in chosen(tmp_path)) == known


@pytest.mark.parametrize(
    "taken",
    [
        Distribution("demo", "1.0", "sha256=aa", "https://host/demo-1.0.whl"),
        Distribution("demo", "1.0", "sha256=ff", "https://host/demo-1.0.whl", kept="demo-1.0-ff"),
        Distribution("demo", "1.0", "sha256=aa", "https://host/demo-1.0.whl", direct="{}", kept="demo-1.0-aa"),
        Distribution("demo", "1.0", "", "https://host/demo-1.0.whl", kept="demo-1.0-aa"),
        Distribution("demo", "7.0", "sha256=aa", "https://host/demo-1.0.whl", kept="demo-1.0-aa"),
    ],
)
def test_what_is_not_known_as_a_choice(tmp_path: Path, taken: Distribution) -> None:
    """What is not kept, came from another place than the index, or is none of its files, is no choice."""
    remember(tmp_path, {"1.0": ("aa", "")}, taken)
    assert chosen(tmp_path) == {}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": 1}',
        b'{"format": 9, "asked": 1, "versions": [], "chosen": {}}',
        b'{"format": 1, "asked": "x", "versions": [], "chosen": {}}',
        b'{"format": 1, "asked": 1, "versions": [1], "chosen": {}}',
        b'{"format": 1, "asked": 1, "versions": [], "chosen": []}',
        b'{"format": 1, "asked": 1, "versions": [], "chosen": {"1.0": [[], {"name": "demo"}]}}',
        b'{"format": 1, "asked": 1, "versions": [], "chosen": {"1.0": [["aa"], {"name": "demo"}]}}',
        b'{"format": 1, "asked": 1, "versions": [], "chosen": {"1.0": 5}}',
        b"[" * 100_000,
    ],
)
def test_damage_is_nothing_known(tmp_path: Path, damage: bytes) -> None:
    """A file that is damaged, or of another format, says nothing, and what pip says next takes its place."""
    path = paths.pip_project(str(tmp_path), "ground", "demo")
    os.makedirs(os.path.dirname(path))
    Path(path).write_bytes(damage)
    assert projects.read(str(tmp_path), "ground", "demo") is None
    remember(tmp_path, {"1.0": ("aa",)}, ONE)
    assert list(chosen(tmp_path)) == ["1.0"]


def test_a_time_to_come(tmp_path: Path) -> None:
    """What was asked at a time to come, by a clock that was wrong, does not count."""
    remember(tmp_path, {"1.0": ("aa",)}, ONE, asked=time.time() + 1000)
    assert projects.read(str(tmp_path), "ground", "demo") is None


def test_what_is_on_disk_is_private(tmp_path: Path) -> None:
    """The file is its owner's alone, as all that says what somebody installs; and it is JSON."""
    remember(tmp_path, {"1.0": ("aa",)}, ONE)
    path = Path(paths.pip_project(str(tmp_path), "ground", "demo"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_bytes())["versions"] == ["1.0"]
