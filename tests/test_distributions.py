"""Distributions of the store that no environment holds, and what builders began and did not finish."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import generations

from scriptrun import paths
from scriptrun.upkeep import distributions, housekeeping, inventory, tidying, usage
from scriptrun.upkeep.housekeeping import Bounds
from scriptrun.upkeep.usage import Sight

DAY = 86400.0


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for a cache that nobody uses."""
    monkeypatch.setattr(usage, "look", lambda: Sight(frozenset(), frozenset()))
    return str(tmp_path / "cache")


def name(number: int) -> str:
    """Return the name of a distribution."""
    return f"demo-{number}.0-{number:032x}"


def keep(cache: str, directory: str, age: float) -> Path:
    """Put something into the store so many seconds ago."""
    path = Path(paths.store(cache), directory)
    path.mkdir(parents=True)
    (path / "kept.json").write_bytes(b"x" * 5000)
    os.utime(path, (time.time() - age,) * 2)
    return path


def hold(cache: str, number: int, *names: str, age: float = DAY) -> Path:
    """Make an environment that holds distributions."""
    path = generations.make(cache, generations.key(number), age=age)
    asked = {"interpreter": {"path": "/p", "version": "3"}, "requirements": []}
    listed = [{"name": "n", "version": "1", "hash": "", "origin": "", "kept": one} for one in names]
    manifest = {"format": 1, "environment": str(path), "key": path.parent.name, "created": "", "asked": asked}
    (path / "scriptrun.json").write_text(json.dumps({**manifest, "distributions": listed}))
    return path


def ended() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        pass
    return process.pid


def test_what_was_begun_and_not_finished(cache: str) -> None:
    """It goes with its process, after the grace; a living builder's stays, and so does what has no such name."""
    dead, alive = ended(), os.getppid()
    kept = [keep(cache, f"{name(1)}.{alive}.0123abcd", DAY), keep(cache, f"{name(1)}.{dead}.0123abcd", 10)]
    kept += [keep(cache, f"mine.{dead}.0123abcd", DAY), keep(cache, f"{name(2)}.{dead}", DAY)]
    lost = keep(cache, f"{name(1)}.{dead}.89abcdef", 100)
    assert distributions.remove(cache, (), 0.0, 60.0) > 5000
    assert not lost.exists()
    assert [path for path in kept if not path.exists()] == []


def test_what_nobody_holds(cache: str) -> None:
    """It goes when it was not held for so long, or when its last environment has just gone; what is held stays."""
    old, young, released, held = (
        keep(cache, name(number), age) for number, age in ((1, 10 * DAY), (2, DAY), (3, 0), (4, 0))
    )
    os.utime(held, (1, 1))
    hold(cache, 1, name(4))
    distributions.remove(cache, {name(3), name(4)}, 7 * DAY, 60.0)
    assert [path.exists() for path in (old, young, released, held)] == [False, True, False, True]
    assert time.time() - held.stat().st_mtime < DAY  # from now on it counts


def test_by_itself_it_stays_for_a_week(cache: str) -> None:
    """Without being asked, what somebody's own removal left goes after a week, and what pruning left at once."""
    theirs, ours = keep(cache, name(1), DAY), keep(cache, name(2), DAY)
    hold(cache, 1, name(2), age=99 * DAY)
    bounds = Bounds(90 * DAY, None, 7 * DAY)
    assert housekeeping.plan(cache, bounds, 3600).lost == ()
    assert len(housekeeping.prune(cache, bounds, 3600).removed) == 1
    assert (theirs.exists(), ours.exists()) == (True, False)
    os.utime(theirs, (time.time() - 8 * DAY,) * 2)
    assert housekeeping.plan(cache, bounds, 3600).lost == (name(1),)
    housekeeping.prune(cache, bounds, 3600)
    assert not theirs.exists()


def test_room_is_made_for_what_is_shared(cache: str) -> None:
    """The least recently used goes; where that frees too little because others hold the same, the next one too."""
    keep(cache, name(1), DAY)
    first, second, third = (hold(cache, number, name(1), age=(9 - number) * DAY) for number in (1, 2, 3))
    last = hold(cache, 4, age=DAY)
    room = {entry.path: entry.extent.freed for entry in inventory.entries(cache)}
    taken = inventory.distributions(cache)[name(1)].taken
    rest, everything = room[str(last)] + room[str(third)] + taken, sum(room.values()) + taken
    for size, expected in ((everything, []), (rest, [first, second]), (room[str(last)], [first, second, third])):
        plan = housekeeping.plan(cache, Bounds(90 * DAY, size), 60)
        assert [entry.path for entry, _ in plan.going] == [str(path) for path in expected]


def test_answers_without_their_distributions(cache: str) -> None:
    """pip's answers go with what they name, damaged ones too; those of another version stay."""
    keep(cache, name(1), 0)
    answers = Path(paths.pip_answers(cache))
    answers.mkdir(parents=True)
    texts = {
        "whole": {"format": 1, "distributions": [{"kept": name(1)}]},
        "part": {"format": 1, "distributions": [{"kept": name(1)}, {"kept": name(2)}]},
        "none": {"format": 1, "distributions": [{}]},
        "other": {"format": 2},
        "damaged": 5,
    }
    for key, content in texts.items():
        (answers / f"{key}.json").write_text(json.dumps(content))
    tidying.tidy(cache, (), 60.0)
    assert sorted(path.name for path in answers.iterdir()) == ["other.json", "whole.json"]


def test_projects_of_long_ago(cache: str) -> None:
    """What pip found of projects goes after a time, with the directories that are empty then."""
    root = Path(paths.pip_projects(cache))
    for place, age in (("a/old.json", 100), ("b/old.json", 100), ("b/young.json", 10)):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).touch()
        os.utime(root / place, (time.time() - age,) * 2)
    tidying.tidy(cache, (), 60.0)
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == ["b", "b/young.json"]
    tidying.forget(cache)
    assert list(root.iterdir()) == []
