"""What is to go from a cache, and in which order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support import generations

from scriptrun import launch, paths
from scriptrun.launch import Answer
from scriptrun.upkeep import housekeeping, removal, usage
from scriptrun.upkeep.housekeeping import Bounds, Plan
from scriptrun.upkeep.usage import Sight

DAY = 86400.0
USED: set[str] = set()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for a cache whose environments nobody uses but those that a test puts into `USED`."""
    USED.clear()
    monkeypatch.setattr(usage, "look", lambda: Sight(frozenset(USED), frozenset()))
    return str(tmp_path / "cache")


def use(environment: Path) -> None:
    """Let a process run from an environment."""
    USED.add("envs/" + "/".join(environment.parts[-2:]))


def going(plan: Plan) -> dict[str, str]:
    """Return the reasons why environments are to go, by path, in order."""
    return {entry.path: reason for entry, reason in plan.going}


def lead(cache: str, script: Path, environment: Path) -> None:
    """Let the launch record of a script name an environment."""
    launch.record(
        paths.record(cache, str(script)), b"", 0, (str(script), "/l", None), Answer(str(environment), "", provable=True)
    )


def test_order(cache: str, tmp_path: Path) -> None:
    """Leavings, replaced ones, those whose scripts are gone and idle ones go, then the least recently used."""
    key = generations.key
    (tmp_path / "here.py").touch()
    unfinished = Path(paths.environments(cache, key(1))) / "unfinished"
    unfinished.mkdir(parents=True)
    replaced = generations.make(cache, key(2), "1")
    generations.make(cache, key(2), "2", age=DAY)
    orphan = generations.make(cache, key(3), age=2 * DAY)
    lead(cache, tmp_path / "lost.py", orphan)
    idle = generations.make(cache, key(4), age=91 * DAY)
    oldest = generations.make(cache, key(5), age=80 * DAY, size=1_000_000)
    older = generations.make(cache, key(6), age=70 * DAY, size=1_000_000)
    young = generations.make(cache, key(7), age=DAY, size=1_000_000)
    for script in ("here.py", "gone.py"):
        lead(cache, tmp_path / script, young)
    reasons = going(housekeeping.plan(cache, Bounds(90 * DAY, 1_500_000), 60))
    assert reasons == {
        str(unfinished): "left unfinished",
        str(replaced): "replaced by a newer one",
        str(orphan): "its script is gone",
        str(idle): "not used for 91 days",
        str(oldest): "used less recently than others, which take all the room there is",
        str(older): "used less recently than others, which take all the room there is",
    }
    assert list(reasons)[-2:] == [str(oldest), str(older)]


def test_bounds_are_kept_when_nothing_is_outside(cache: str) -> None:
    """What is inside the bounds stays, and what takes no more room than allowed too."""
    environment = generations.make(cache, generations.key(1), age=89 * DAY, size=500_000)
    assert housekeeping.prune(cache, Bounds(90 * DAY, 1_000_000), 60).removed == []
    assert environment.exists()


def test_use_outweighs_every_reason(cache: str, tmp_path: Path) -> None:
    """What is in use or was just used stays: its room counts, but others are not removed in its stead for nothing."""
    running = generations.make(cache, generations.key(1), age=99 * DAY, size=1_000_000)
    use(running)
    fresh = generations.make(cache, generations.key(2), age=50, size=1_000_000)
    lead(cache, tmp_path / "gone.py", fresh)
    middle = generations.make(cache, generations.key(3), age=DAY, size=1_000_000)
    plan = housekeeping.plan(cache, Bounds(90 * DAY, 3_500_000), 60)
    assert going(plan) == {}
    assert {entry.path: reason for entry, reason in plan.staying} == {
        str(running): removal.IN_USE,
        str(fresh): removal.JUST_USED,
    }
    assert list(going(housekeeping.plan(cache, Bounds(90 * DAY, 2_500_000), 60))) == [str(middle)]


def test_all_of_them(cache: str) -> None:
    """Without bounds everything is to go, whatever its age, but what is used or was just used."""
    old, young = (generations.make(cache, generations.key(number), age=number * DAY) for number in (3, 2))
    just = generations.make(cache, generations.key(1), age=10)
    outcome = housekeeping.prune(cache, None, 60)
    assert sorted(outcome.removed) == sorted([str(old), str(young)])
    assert outcome.kept == {str(just): removal.JUST_USED}


def test_times_to_come_become_the_present(cache: str) -> None:
    """A stamp from a clock that was wrong is set to now by a removal, and only then: its age counts from there."""
    environment = generations.make(cache, generations.key(1), age=-3650 * DAY)
    before = (environment / ".stamp").stat().st_mtime
    housekeeping.plan(cache, None, 60)
    assert (environment / ".stamp").stat().st_mtime == before
    assert housekeeping.prune(cache, Bounds(90 * DAY, None), 60).removed == []
    assert (environment / ".stamp").stat().st_mtime <= time.time()


def test_replaced_one_that_is_in_use_goes_later(cache: str) -> None:
    """A generation that was replaced stays for those who run in it, and goes when they have ended."""
    replaced = generations.make(cache, generations.key(1), "1")
    generations.make(cache, generations.key(1), "2")
    use(replaced)
    assert housekeeping.prune(cache, Bounds(90 * DAY, None), 60).kept == {str(replaced): removal.IN_USE}
    USED.clear()
    assert housekeeping.prune(cache, Bounds(90 * DAY, None), 60).removed == [str(replaced)]


def test_record_of_a_lost_script_is_kept_with_its_environment(cache: str, tmp_path: Path) -> None:
    """As long as an environment whose script is gone has to stay, it is known that it may go."""
    orphan = generations.make(cache, generations.key(1), age=DAY)
    lead(cache, tmp_path / "gone.py", orphan)
    use(orphan)
    bounds = Bounds(90 * DAY, None)
    assert list(housekeeping.prune(cache, bounds, 60).kept) == [str(orphan)]
    USED.clear()
    assert housekeeping.prune(cache, bounds, 60).removed == [str(orphan)]
    assert list(Path(paths.records(cache)).rglob("*")) == []
