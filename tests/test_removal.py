"""The removal of environments: never one in use, never by waiting for its users, and whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support import generations

from scriptrun import locks, paths
from scriptrun.errors import CacheError
from scriptrun.generations import current as current_generation
from scriptrun.upkeep import removal, trash, usage
from scriptrun.upkeep.removal import Outcome
from scriptrun.upkeep.usage import Sight

NOBODY = Sight(frozenset(), frozenset())
KEY = generations.key(1)


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A place for a cache."""
    return str(tmp_path / "cache")


@pytest.fixture
def environment(cache: str) -> Path:
    """An environment that was last used long ago."""
    return generations.make(cache, KEY)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Sight]]:
    """What is done and seen at each look at the processes; after that, nobody."""
    looks: list[Callable[[], Sight]] = []
    monkeypatch.setattr(usage, "look", lambda: looks.pop(0)() if looks else NOBODY)
    return looks


def remove(cache: str, *environments: Path, grace: float = 60) -> Outcome:
    """Remove environments, alone."""
    with removal.alone(cache) as alone:
        assert alone
        return removal.remove(cache, [str(one) for one in environments], grace)


def whole(cache: str, environment: Path) -> bool:
    """Tell whether an environment is in its place, current, and not marked."""
    current = current_generation(cache, environment.parent.name) == environment.name
    marked = (environment / "condemned").exists()
    return current and not marked and (environment / "scriptrun.json").is_file()


@pytest.mark.usefixtures("seen")
def test_environment_that_nobody_uses_goes(cache: str, environment: Path) -> None:
    """The environment and its pointer are gone, nothing is left of it, and what it took is told."""
    other = generations.make(cache, generations.key(2))
    room = sum(path.lstat().st_blocks for path in (environment, *environment.rglob("*"))) * 512
    outcome = remove(cache, environment)
    assert (outcome.removed, outcome.kept, outcome.freed) == ([str(environment)], {}, room)
    assert not environment.parent.exists()
    assert current_generation(cache, KEY) is None
    assert whole(cache, other)


@pytest.mark.usefixtures("seen")
def test_environment_stays_for_the_grace_period(cache: str, environment: Path) -> None:
    """A stamp younger than the grace period keeps an environment, an older one does not."""
    generations.use(environment, 50)
    assert remove(cache, environment, grace=3600).kept == {str(environment): removal.JUST_USED}
    assert whole(cache, environment)
    assert remove(cache, environment, grace=10).removed == [str(environment)]


@pytest.mark.usefixtures("seen")
def test_use_in_times_to_come_is_one_now(cache: str, environment: Path) -> None:
    """With a stamp of tomorrow an environment counts as used now: kept for any grace period, removed without one."""
    generations.use(environment, -86400)
    assert remove(cache, environment, grace=1).kept == {str(environment): removal.JUST_USED}
    assert remove(cache, environment, grace=0).removed == [str(environment)]


@pytest.mark.usefixtures("seen")
def test_environment_that_is_claimed_stays(cache: str, environment: Path) -> None:
    """While a process holds the lock of the stamp, the environment is kept, and the lock is not taken from it."""
    with open(environment / ".stamp") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_SH)
        assert remove(cache, environment, grace=0).kept == {str(environment): removal.ABOUT_TO_BE_USED}
    assert whole(cache, environment)
    assert remove(cache, environment, grace=0).removed == [str(environment)]


@pytest.mark.usefixtures("seen")
def test_key_that_is_being_prepared_is_left_alone(cache: str, environment: Path) -> None:
    """While somebody holds the lock of a key, nothing of it is marked or removed, and nobody waits for it."""
    unfinished = environment.parent / "unfinished"
    unfinished.mkdir()
    with locks.hold(paths.lock(cache, KEY)) as ours:
        assert ours
        outcome = remove(cache, environment, unfinished, grace=0)
    assert outcome.kept == dict.fromkeys([str(environment), str(unfinished)], removal.BEING_PREPARED)
    assert whole(cache, environment)
    assert unfinished.exists()


def test_process_keeps_its_environment(cache: str, environment: Path) -> None:
    """An environment that a process runs from is kept, and those beside it are removed."""
    other = generations.make(cache, generations.key(2))
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, environment], stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        outcome = remove(cache, environment, other, grace=0)
        assert (outcome.removed, outcome.kept) == ([str(other)], {str(environment): removal.IN_USE})
        assert whole(cache, environment)
        process.stdin.close()
    assert remove(cache, environment, grace=0).removed == [str(environment)]


def marked(environment: Path, sight: Sight) -> Callable[[], Sight]:
    """Return a look that shows `sight`, at a time when the environment must be marked."""

    def look() -> Sight:
        assert (environment / "condemned").exists()
        return sight

    return look


def test_launcher_that_lands_is_seen(
    cache: str, environment: Path, seen: list[Callable[[], Sight]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a launcher was under way, there is a second look, which sees it in the environment."""
    other = generations.make(cache, generations.key(2))
    flying = frozenset([psutil.Process()])
    landed = frozenset(["envs/" + "/".join(environment.parts[-2:])])
    seen += [marked(environment, Sight(frozenset(), flying)), marked(environment, Sight(landed, frozenset()))]
    awaited: list[object] = []
    monkeypatch.setattr(usage, "may_enter", lambda *_: True)

    def land(launchers: object, _limit: float) -> bool:
        awaited.append(launchers)
        return True

    monkeypatch.setattr(usage, "await_landing", land)
    outcome = remove(cache, environment, other, grace=0)
    assert (outcome.removed, outcome.kept) == ([str(other)], {str(environment): removal.IN_USE})
    assert (awaited, seen) == ([list(flying)], [])
    assert whole(cache, environment)


def test_launcher_that_does_not_land_keeps_everything(
    cache: str, environment: Path, seen: list[Callable[[], Sight]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows where a launcher that stands still is bound for, so nothing is removed, and it is not waited for."""
    monkeypatch.setattr(removal, "LANDING", 0)
    monkeypatch.setattr(usage, "in_flight", lambda _process: True)
    monkeypatch.setattr(usage, "may_enter", lambda *_: True)
    seen.append(marked(environment, Sight(frozenset(), frozenset([psutil.Process()]))))
    assert remove(cache, environment, grace=0).kept == {str(environment): removal.ABOUT_TO_BE_USED}
    assert whole(cache, environment)


def test_launcher_of_another_cache_does_not_count(
    cache: str, environment: Path, seen: list[Callable[[], Sight]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher that cannot be bound for this cache is neither awaited nor in the way."""
    monkeypatch.setattr(usage, "in_flight", lambda _process: True)
    monkeypatch.setattr(usage, "may_enter", lambda *_: False)
    seen.append(marked(environment, Sight(frozenset(), frozenset([psutil.Process()]))))
    assert remove(cache, environment, grace=0).removed == [str(environment)]
    assert seen == []


def test_stamp_that_is_touched_meanwhile(cache: str, environment: Path, seen: list[Callable[[], Sight]]) -> None:
    """Who is not seen among the processes, but touches the stamp, gets the environment back."""

    def touch() -> Sight:
        generations.use(environment)
        return NOBODY

    seen.append(touch)
    assert remove(cache, environment, grace=0).kept == {str(environment): removal.JUST_USED}
    assert whole(cache, environment)


def test_interruption_takes_marks_back(cache: str, environment: Path, seen: list[Callable[[], Sight]]) -> None:
    """Ctrl-C while processes are looked at leaves environments as they were."""

    def interrupt() -> Sight:
        raise KeyboardInterrupt

    seen.append(marked(environment, NOBODY))
    seen.insert(0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        remove(cache, environment)
    assert whole(cache, environment)


def test_replaced_generation(cache: str, seen: list[Callable[[], Sight]]) -> None:
    """One that was replaced goes; while it is in use it stays, with its mark, which is for good."""
    before = generations.make(cache, KEY, "00000001")
    current = generations.make(cache, KEY, "00000002")
    seen.append(lambda: Sight(frozenset([f"envs/{KEY}/00000001"]), frozenset()))
    assert remove(cache, before).kept == {str(before): removal.IN_USE}
    assert (before / "condemned").exists()
    assert remove(cache, before).removed == [str(before)]
    assert whole(cache, current)


@pytest.mark.usefixtures("seen")
def test_mark_of_a_dead_removal(cache: str, environment: Path) -> None:
    """A mark that somebody left who was killed neither protects an environment nor outlasts a removal that keeps it."""
    (environment / "condemned").touch()
    generations.use(environment)
    assert remove(cache, environment).kept == {str(environment): removal.JUST_USED}
    assert whole(cache, environment)


@pytest.mark.usefixtures("seen")
def test_environment_that_has_gone(cache: str, environment: Path) -> None:
    """What somebody else took away is neither removed nor kept."""
    gone = environment.parent / "gone"
    outcome = remove(cache, gone, environment)
    assert (outcome.removed, outcome.kept) == ([str(environment)], {})


@pytest.mark.usefixtures("seen")
def test_more_than_a_batch(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, all go; a batch's keys are free again before the next one's are taken."""
    monkeypatch.setattr(removal, "BATCH", 2)
    environments = [generations.make(cache, generations.key(number)) for number in range(5)]
    assert remove(cache, *environments).removed == [str(one) for one in environments]


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("error", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_refusal_of_the_system(cache: str, environment: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Where the operating system refuses to move an environment, it stays as it was, and the reason is told."""

    def refuse(_cache: str, _environment: str) -> str:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(trash, "put", refuse)
    assert remove(cache, environment).kept == {str(environment): os.strerror(error)}
    assert whole(cache, environment)


def test_one_removal_at_a_time(cache: str) -> None:
    """Who does not want to wait is told that somebody else removes; who waits gets its turn."""
    waited = []
    with removal.alone(cache) as first:
        assert first
        with removal.alone(cache) as second:
            assert not second
        descriptor = os.open(paths.removal(cache), os.O_RDONLY)

    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def release() -> None:
        waited.append(1)
        os.close(descriptor)

    with removal.alone(cache, release) as third:
        assert third
    assert waited == [1]


def test_cache_that_cannot_be_written_to(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be removed it is said so, in words."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(locks, "take", refuse)
    with pytest.raises(CacheError, match=f"^the cache `{cache}` cannot be written to: "), removal.alone(cache):
        pass


def test_mark_that_is_damaged(cache: str, environment: Path, seen: list[Callable[[], Sight]]) -> None:
    """Whatever is in the place of the mark, there is one while processes are looked at."""
    for damage in ("mkdir", "symlink"):
        getattr(os, damage)(*(["nowhere"] if damage == "symlink" else []), environment / "condemned")
        generations.use(environment)
        seen.append(marked(environment, Sight(frozenset(["envs/" + "/".join(environment.parts[-2:])]), frozenset())))
        assert remove(cache, environment, grace=0).kept == {str(environment): removal.IN_USE}
        assert whole(cache, environment)


def test_where_locks_do_not_work(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without locks nobody can know who builds: nothing is removed there."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with removal.alone(cache, lambda: None) as alone:
        assert not alone


def test_lock_of_a_file_that_was_removed(cache: str) -> None:
    """Who waited for a lock whose holder removed the file holds that of the file that is there now."""
    path = paths.lock(cache, KEY)
    with locks.hold(path) as ours:
        assert ours
        descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def remove_file() -> None:
        os.unlink(path)
        os.close(descriptor)

    taken = locks.take(path, remove_file)
    assert taken is not None
    assert os.path.samestat(os.fstat(taken), os.stat(path))
    with locks.hold(path) as second:
        assert not second
    os.close(taken)
