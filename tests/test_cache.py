"""The cache: what is damaged counts as missing, and what dead builders left goes away."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import queue
import shutil
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.damage import remove
from support.user import LIMIT

from scriptrun import cache as caches
from scriptrun import generations, interpreters, launch, location, paths, prepare, spec
from scriptrun.arguments import Options
from scriptrun.errors import CacheError
from scriptrun.order import Order


def nothing(_line: str) -> None:
    """Show nothing."""


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A cache directory, mode 0700."""
    path, note = location.open_cache({"SCRIPTRUN_CACHE_DIR": str(tmp_path / "cache")})
    assert note == ""
    return path


@pytest.fixture
def order(cache: str) -> Order:
    """An order for an environment without distributions."""
    interpreter = interpreters.identify(sys.executable, cache, os.environ)
    assert interpreter is not None
    return Order(spec.specify(interpreter, (), Options()), (), Options(), dict(os.environ), nothing)


def give_up() -> None:
    """Do not wait."""
    raise LookupError


def refuse(_descriptor: int, _operation: int) -> None:
    """Answer as `flock` does on a file system without locks."""
    raise OSError(errno.ENOLCK, "No locks available")


def refreshed(order: Order) -> Order:
    return Order(order.spec, order.asked, Options({"refresh": True}), order.environ, order.show)


def overwritten(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def changed(**values: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "garbage": overwritten(b"\xff\xfe\0garbage\n"),
    "text": overwritten(b"1234567890"),
    "list": overwritten(b"[]"),
    "deep": overwritten(b"[" * 100_000),
    "path": overwritten(b"../../../../etc\n"),
}
MANIFEST_DAMAGES: dict[str, Callable[[Path], object]] = {
    **DAMAGES,
    "no distributions": changed(distributions=None),
    "wrong distributions": changed(distributions=[1, "two"]),
    "half a distribution": changed(distributions=[{"name": "demo"}]),
    "distribution of numbers": changed(distributions=[{"name": 1, "version": 2, "hash": 3, "origin": 4}]),
    "no time": changed(created=None),
    "nothing asked": changed(asked={}),
    "wrong requirements": changed(asked={"interpreter": {"path": "/x", "version": "3"}, "requirements": [1]}),
    "another format": changed(format=99),
    "another place": changed(environment="/elsewhere"),
}


@pytest.mark.parametrize(
    ("where", "damage"),
    [
        *(pytest.param("pointer", damage, id=f"pointer {name}") for name, damage in DAMAGES.items()),
        *(pytest.param("manifest", damage, id=f"manifest {name}") for name, damage in MANIFEST_DAMAGES.items()),
    ],
)
def test_wrong_content_is_a_miss_and_heals(
    cache: str, order: Order, where: str, damage: Callable[[Path], object]
) -> None:
    """A pointer or manifest that does not hold what it should is as good as none, and the next run makes it good."""
    key = order.spec.key
    before = prepare.prepare(cache, order)
    assert caches.lookup(cache, key) == before
    damage(Path(paths.pointer(cache, key) if where == "pointer" else paths.manifest(before.path)))
    assert caches.lookup(cache, key) is None
    after = prepare.prepare(cache, order)
    assert after.path != before.path
    assert caches.lookup(cache, key) == after


def test_unknown_fields_of_a_manifest_are_left_alone(cache: str, order: Order) -> None:
    """What another version adds to a manifest does not hinder this one."""
    before = prepare.prepare(cache, order)
    manifest = Path(paths.manifest(before.path))
    changed(new={"a": [1]}, distributions=[dict.fromkeys(("name", "version", "hash", "origin", "new"), "x")])(manifest)
    content = manifest.read_bytes()
    assert prepare.prepare(cache, order).path == before.path
    assert manifest.read_bytes() == content


@pytest.mark.parametrize("gone", ["pyvenv.cfg", "bin/python", "."])
def test_environment_without_its_parts_is_a_miss(cache: str, order: Order, gone: str) -> None:
    """An environment that lacks what makes it one is built anew."""
    before = prepare.prepare(cache, order)
    path = Path(before.path, gone)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert caches.lookup(cache, order.spec.key) is None
    assert prepare.prepare(cache, order).path != before.path


def test_moved_cache_is_a_miss(cache: str, order: Order, tmp_path: Path) -> None:
    """Environments of a cache that was moved are not used: programs in them name their old place."""
    prepare.prepare(cache, order)
    moved = str(tmp_path / "moved")
    os.rename(cache, moved)
    assert caches.lookup(moved, order.spec.key) is None
    assert prepare.prepare(moved, order).path.startswith(moved)


def test_cache_by_another_name_is_the_same(cache: str, order: Order, tmp_path: Path) -> None:
    """A link that leads to a cache, or a slash too many, makes no other cache of it; a copy is another one."""
    environment = prepare.prepare(cache, order)
    (tmp_path / "link").symlink_to(cache)
    for name in (str(tmp_path / "link"), f"/{cache}"):
        found = caches.lookup(name, order.spec.key)
        assert found is not None
        assert os.path.samefile(found.path, environment.path)
    shutil.copytree(cache, tmp_path / "copy", symlinks=True)
    assert caches.lookup(str(tmp_path / "copy"), order.spec.key) is None


def test_pointer_to_a_generation_of_another_key_is_a_miss(cache: str, order: Order) -> None:
    """A generation counts for its own key only."""
    other = prepare.prepare(cache, order)
    another = "0" * 32
    os.rename(paths.pointer(cache, order.spec.key), paths.pointer(cache, another))
    os.makedirs(paths.environments(cache, another))
    os.rename(other.path, Path(paths.environments(cache, another), Path(other.path).name))
    assert caches.lookup(cache, another) is None


def test_leavings_of_dead_builders_go_away(cache: str, order: Order) -> None:
    """The next builder removes what is incomplete and what was never published, and keeps what was current once."""
    old = prepare.prepare(cache, order)
    current = prepare.prepare(cache, refreshed(order))
    directory = Path(paths.environments(cache, order.spec.key))
    (directory / "11111111" / "lib").mkdir(parents=True)
    shutil.copytree(current.path, directory / "22222222", symlinks=True)
    Path(paths.stamp(str(directory / "22222222"))).unlink()
    after = prepare.prepare(cache, refreshed(order))
    assert sorted(directory.iterdir()) == sorted(Path(one.path) for one in (old, current, after))


def test_environment_that_was_never_published_goes_away(cache: str, order: Order) -> None:
    """What a builder left who died between the manifest and the pointer is removed by the next one."""
    path = os.path.join(paths.environments(cache, order.spec.key), "11111111")
    os.makedirs(path)
    prepare.build(path, order, cache)
    after = prepare.prepare(cache, order)
    assert os.listdir(paths.environments(cache, order.spec.key)) == [os.path.basename(after.path)]


def test_use_makes_a_missing_stamp(cache: str, order: Order) -> None:
    """An environment whose builder died before it made the stamp gets one from whoever runs in it."""
    environment = prepare.prepare(cache, order)
    os.unlink(paths.stamp(environment.path))
    assert launch.claim(environment.path)
    assert stat.S_IMODE(os.stat(paths.stamp(environment.path)).st_mode) == 0o600


def test_refresh_marks_what_was_current(cache: str, order: Order) -> None:
    """Nobody is led to the environment that a refresh has replaced, and the new one has a stamp."""
    old = prepare.prepare(cache, order)
    assert not os.path.exists(paths.condemned(old.path))
    new = prepare.prepare(cache, refreshed(order))
    assert os.path.exists(paths.condemned(old.path))
    assert os.path.exists(paths.stamp(new.path))


def test_failure_to_publish_leaves_nothing(cache: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is complete but could not be made current is removed, and the old one stays."""
    old = prepare.prepare(cache, order)

    def publish(*_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(generations, "publish", publish)
        with pytest.raises(CacheError, match="the disk is full"):
            prepare.prepare(cache, refreshed(order))
    assert caches.lookup(cache, order.spec.key) == old
    assert os.listdir(paths.environments(cache, order.spec.key)) == [Path(old.path).name]


def test_file_system_without_locks(cache: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks do not work, environments are right all the same, and nothing of other builders is removed."""

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = Path(paths.environments(cache, order.spec.key), "11111111")
    other.mkdir(parents=True)
    assert prepare.prepare(cache, order) == caches.lookup(cache, order.spec.key)
    assert other.is_dir()


def test_lock_does_not_follow_a_link(cache: str, order: Order, tmp_path: Path) -> None:
    """A lock that was replaced by a link to a file becomes a lock again, and the file stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    victim.chmod(0o640)
    lock = Path(paths.lock(cache, order.spec.key))
    lock.parent.mkdir(parents=True)
    lock.symlink_to(victim)
    prepare.prepare(cache, order)
    assert (lock.is_file(), lock.is_symlink()) == (True, False)
    assert (victim.read_text(), victim.stat().st_mode & 0o777) == ("mine", 0o640)


def test_unreadable_lock_keeps_out_others(cache: str, order: Order) -> None:
    """A lock that may not be read is made readable, and not replaced: somebody may hold it."""
    lock = Path(paths.lock(cache, order.spec.key))
    with caches.lock(cache, order.spec.key, lambda: None):
        inode = lock.stat().st_ino
        lock.chmod(0)
        with pytest.raises(LookupError), caches.lock(cache, order.spec.key, give_up):
            pass
        assert (lock.stat().st_ino, lock.stat().st_mode & 0o777) == (inode, 0o600)


def test_removed_lock_is_nobodys(cache: str) -> None:
    """Who waited for a lock whose file was removed meanwhile waits for the file that is there now."""
    key = "0" * 32
    events: queue.Queue[str] = queue.Queue()

    def wait_for_it() -> None:
        with caches.lock(cache, key, lambda: events.put("waiting")) as held:
            events.put(f"held: {held}")

    with ExitStack() as remover, ExitStack() as builder:
        remover.enter_context(caches.lock(cache, key, lambda: None))
        waiter = threading.Thread(target=wait_for_it, daemon=True)
        waiter.start()
        assert events.get(timeout=LIMIT) == "waiting"
        os.unlink(paths.lock(cache, key))
        builder.enter_context(caches.lock(cache, key, lambda: events.put("the builder waits")))
        remover.close()
        assert events.get(timeout=LIMIT) == "waiting"
        assert events.empty()
    assert events.get(timeout=LIMIT) == "held: True"
    waiter.join(LIMIT)
    assert os.path.exists(paths.lock(cache, key))


def test_mark_of_a_dead_remover_is_taken_back(cache: str, order: Order) -> None:
    """Who finds a mark on the current environment while holding its lock uses it; nothing is built."""
    before = prepare.prepare(cache, order)
    Path(paths.condemned(before.path)).touch()
    assert caches.lookup(cache, order.spec.key) is None
    assert prepare.prepare(cache, order) == before
    assert not os.path.exists(paths.condemned(before.path))


@pytest.mark.parametrize("damage", [overwritten(b"[]"), remove])
def test_mark_of_an_incomplete_environment_stays(cache: str, order: Order, damage: Callable[[Path], object]) -> None:
    """The mark on an environment that was replaced, or cannot be used, is for good."""
    old = prepare.prepare(cache, order)
    current = prepare.prepare(cache, refreshed(order))
    assert prepare.prepare(cache, order) == current
    assert os.path.exists(paths.condemned(old.path))
    Path(paths.condemned(current.path)).touch()
    damage(Path(paths.manifest(current.path)))
    caches.reclaim(cache, order.spec.key)
    assert [os.path.exists(paths.condemned(one.path)) for one in (old, current)] == [True, True]


def test_mark_where_locks_do_not_work_stays(cache: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without locks nobody knows whether the remover lives: the mark stays, and another environment is built."""
    before = prepare.prepare(cache, order)
    Path(paths.condemned(before.path)).touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert prepare.prepare(cache, order).path != before.path
    assert os.path.exists(paths.condemned(before.path))
