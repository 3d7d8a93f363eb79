"""The cache: what is damaged counts as missing, and what dead builders left goes away."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scriptrun import cache as caches
from scriptrun import interpreters, location, paths, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.errors import CacheError
from scriptrun.pip import Order


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


def refreshed(order: Order) -> Order:
    return Order(order.spec, order.asked, Options({"refresh": True}), order.environ, order.show)


def remove(path: Path) -> None:
    path.unlink()


def turn_into_directory(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def overwritten(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def changed(**values: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": remove,
    "directory": turn_into_directory,
    "dangling link": link_to_nowhere,
    "empty": overwritten(b""),
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
def test_damage_is_a_miss_and_heals(cache: str, order: Order, where: str, damage: Callable[[Path], object]) -> None:
    """A pointer or manifest that is not as it was written is as good as none, and the next run makes it good."""
    key = order.spec.key
    before = prepare.prepare(cache, order)
    assert caches.lookup(cache, key) == before
    damage(Path(paths.pointer(cache, key) if where == "pointer" else paths.manifest(before.path)))
    assert caches.lookup(cache, key) is None
    after = prepare.prepare(cache, order)
    assert after.path != before.path
    assert caches.lookup(cache, key) == after


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

    def publish(_cache: str, _environment: Environment) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(caches, "publish", publish)
        with pytest.raises(CacheError, match="the disk is full"):
            prepare.prepare(cache, refreshed(order))
    assert caches.lookup(cache, order.spec.key) == old
    assert os.listdir(paths.environments(cache, order.spec.key)) == [Path(old.path).name]


def test_file_system_without_locks(cache: str, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks do not work, environments are right all the same, and nothing of other builders is removed."""

    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    other = Path(paths.environments(cache, order.spec.key), "11111111")
    other.mkdir(parents=True)
    assert prepare.prepare(cache, order) == caches.lookup(cache, order.spec.key)
    assert other.is_dir()


def test_lock_does_not_follow_a_link(cache: str, order: Order, tmp_path: Path) -> None:
    """A lock that was replaced by a link to a file is refused, and the file stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    lock = Path(paths.lock(cache, order.spec.key))
    lock.parent.mkdir(parents=True)
    lock.symlink_to(victim)
    with pytest.raises(CacheError):
        prepare.prepare(cache, order)
    assert victim.read_text() == "mine"


def test_lock_file_stays(cache: str, order: Order) -> None:
    """The file that is locked is never removed: somebody else may wait for it."""
    with caches.lock(cache, order.spec.key, lambda: None) as held:
        assert held
        inode = os.stat(paths.lock(cache, order.spec.key)).st_ino
    assert os.stat(paths.lock(cache, order.spec.key)).st_ino == inode
