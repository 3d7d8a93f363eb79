"""Deleting: all of it, nothing else, and what it gave back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support import generations

from scriptrun import deletion, paths
from scriptrun.upkeep import trash


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A place for a cache."""
    return str(tmp_path / "cache")


def test_links_are_removed_and_not_followed(cache: str, tmp_path: Path) -> None:
    """What links in an environment lead to outside of it stays as it is."""
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    (outside / "file").write_text("kept")
    os.chmod(outside, 0o555)
    environment = generations.make(cache, generations.key(1))
    (environment / "directory").symlink_to(outside)
    (environment / "file").symlink_to(outside / "file")
    deletion.delete(trash.put(cache, str(environment)))
    assert sorted(path.name for path in outside.iterdir()) == ["file", "kept"]
    assert outside.stat().st_mode & 0o777 == 0o555
    assert os.listdir(paths.trash(cache)) == []


def test_link_in_the_place_of_a_directory(tmp_path: Path) -> None:
    """A link to a directory is removed itself."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    (tmp_path / "link").symlink_to("outside")
    deletion.delete(str(tmp_path / "link"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (tmp_path / "outside/file").exists()


def test_directories_that_nobody_may_write_to(cache: str) -> None:
    """Read-only and unreadable directories are deleted with all that is in them."""
    environment = generations.make(cache, generations.key(1))
    (environment / "a/b").mkdir(parents=True)
    (environment / "a/b/file").touch()
    os.chmod(environment / "a/b/file", 0)
    for path, mode in (("a/b", 0o555), ("a", 0o000)):
        os.chmod(environment / path, mode)
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                _give_away(Path(cache).parent)
            os._exit(int(deletion.delete(str(environment)) == 0))
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not environment.exists()


def _give_away(directory: Path) -> None:
    """Give a directory to a user who is not root, and be that user."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    for path in directory.parents:
        if path.stat().st_uid == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):
            os.chmod(path, path.stat().st_mode | 0o111)
    os.setgid(12345)
    os.setuid(12345)


@pytest.mark.slow
def test_depth_is_no_obstacle(cache: str) -> None:
    """A tree that is deeper than Python's stack is deleted."""
    environment = generations.make(cache, generations.key(1))
    directory = str(environment)
    for _ in range(1500):
        directory += "/d"
        os.mkdir(directory)
    deletion.delete(str(environment))
    assert not environment.exists()


def test_bytes_freed(tmp_path: Path) -> None:
    """A file with another name elsewhere frees nothing, one with two names here counts once."""
    directory = tmp_path / "directory"
    directory.mkdir()
    (directory / "single").write_bytes(b"x" * 100_000)
    (directory / "first").write_bytes(b"x" * 200_000)
    os.link(directory / "first", directory / "second")
    (tmp_path / "outside").write_bytes(b"x" * 400_000)
    os.link(tmp_path / "outside", directory / "inside")
    own = sum((directory / name).stat().st_blocks for name in ("single", "first", ".")) * 512
    assert deletion.delete(str(directory)) == own
    assert (tmp_path / "outside").exists()


def test_what_is_gone_frees_nothing(tmp_path: Path) -> None:
    """Deleting nothing is no error."""
    assert deletion.delete(str(tmp_path / "nothing")) == 0
    assert trash.empty(str(tmp_path / "nothing")) == 0


def test_link_frees_only_itself(tmp_path: Path) -> None:
    """What a link leads to is not counted where the link is deleted: not twice, and not at all if it stays."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_bytes(b"x" * 1_000_000)
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone/lib64").symlink_to(tmp_path / "kept")
    assert deletion.delete(str(tmp_path / "gone")) < 100_000
    assert (tmp_path / "kept/file").exists()


def test_files_that_nobody_may_write_to_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system keeps such files from being removed, they are made writable first."""
    (tmp_path / "all").mkdir()
    for name in ("one", "two"):
        (tmp_path / "all" / name).touch(0o400)
    (tmp_path / "other").touch(0o400)
    unlink = os.unlink

    def refuse(path: str) -> None:
        if not os.stat(path).st_mode & 0o200:
            raise PermissionError(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    deletion.delete(str(tmp_path / "all"))
    assert (tmp_path / "all/one").stat().st_mode & 0o777 == 0o400, "elsewhere, another name of it may be in the store"
    monkeypatch.setattr(sys, "platform", "win32")
    deletion.delete(str(tmp_path / "all"))
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["other"]
