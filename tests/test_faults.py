"""What the harness in `tests/faults` does at length, in short: builders killed, crowds, removals beside launches."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import crowd, hammer, kills, shared, store, wares
from support import everybody, watch
from support.everybody import Everybody
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow

SEED = 3


def test_builder_killed_at_random_moments(new_user: Callable[[str], User], index: Index) -> None:
    """After a builder's death at any moment the next run succeeds, and leaves what an undisturbed one leaves."""
    tally = kills.builders(new_user, index, 8, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 8)


def test_pip_killed_at_random_moments(new_user: Callable[[str], User], index: Index) -> None:
    """After pip's death the run fails and leaves nothing; the next one succeeds."""
    tally = kills.pips(new_user, index, 8, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 8)


@pytest.mark.parametrize("scripts", [1, 16])
def test_simultaneous_first_runs(user: User, index: Index, scripts: int) -> None:
    """Of 64 first runs at once, one for each key starts pip; all succeed and say nothing."""
    tally = crowd.first_runs(user, index, scripts, 64)
    assert (tally.losses, tally.counts["runs"]) == ([], 64)


def test_first_runs_beside_removals(user: User, index: Index) -> None:
    """First runs succeed while all that is not in use is pruned, cleared and refreshed without a pause."""
    tally = crowd.disturbed_runs(user, index, 4, 16)
    assert (tally.losses, tally.counts["runs"]) == ([], 16)
    assert tally.counts["cache prune"]
    assert tally.counts["cache clear"]
    assert tally.counts["--refresh"]


@pytest.mark.parametrize("grace", [0, 1])
def test_launches_beside_removals(user: User, index: Index, grace: int) -> None:
    """Scripts find all of their environment to their end, and one that sleeps for long too, whatever is removed."""
    tally = hammer.hammer(user, index, 8, grace, SEED)
    assert (tally.losses, tally.counts["slept through all of it"]) == ([], 1)
    assert tally.counts["launches"]
    assert tally.counts["prunes"]


def test_store_killed_at_random_calls(new_user: Callable[[str], User], index: Index) -> None:
    """Whoever is killed while it keeps, links or removes distributions: the next run is right, and nothing is left."""
    tally = store.killed(new_user, index, 3, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 9)


def test_store_refused_by_the_disk(new_user: Callable[[str], User], index: Index) -> None:
    """A full or broken disk makes no difference to a run, or fails it and leaves nothing; the next one is right."""
    tally = store.refused(new_user, index, 3, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 9)


def test_builders_that_keep_the_same_at_once(user: User, index: Index) -> None:
    """Environments that share a distribution are right when all are built at once, also while it is removed."""
    tally = store.sharers(user, index, 4, 3)
    assert (tally.losses, tally.counts["runs"]) == ([], 16)
    assert tally.counts["cache prune"]


def test_system_cache_killed_while_it_is_filled(programs: Path, index: Index) -> None:
    """Others never find half of an environment, whenever who fills the cache is killed; filled again, it is whole."""
    with everybody.open_directory() as root:
        tally = shared.killed(Everybody(root, programs, index.url), index, 6, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 6)
    assert tally.counts["found their own"]


def remove_everything(user: User) -> None:
    """Do what `rm -rf` of the cache does."""
    shutil.rmtree(user.cache)


def empty_the_environment(user: User) -> None:
    """Do what a `rm -rf` that is under way has done: the directory is still there."""
    (environment,) = user.cache.glob("v1/envs/*/*")
    for name in ("pyvenv.cfg", "lib", "bin"):
        path = environment / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("remove", [remove_everything, empty_the_environment])
def test_cache_removed_while_pip_works(user: User, index: Index, remove: Callable[[User], None]) -> None:
    """When somebody removes the cache under a build, it begins once more and succeeds, and says nothing."""
    gate = watch.Gate(index)
    wares.stock(index)
    wares.write(user, index)
    running = watch.start(user, "./s.py")
    gate.wait()
    remove(user)
    gate.open()
    assert watch.end(running) == wares.RIGHT
    assert len(list(user.cache.glob("v1/envs/*/*"))) == len(user.environments()) == 1


def test_cache_that_is_removed_over_and_over(user: User, index: Index) -> None:
    """A build whose directory vanishes a second time fails, says why, and leaves nothing."""
    wares.stock(index)
    index.asked = lambda _path: shutil.rmtree(user.cache, ignore_errors=True)
    wares.write(user, index)
    status, out, err = user.run("./s.py")
    assert (status, out) == (125, "")
    assert err.startswith("scriptrun: error: the environment was removed while it was being built"), err
    assert list(user.cache.glob("v1/envs/*/*")) == []
