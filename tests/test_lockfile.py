"""Where the lock of a script is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scriptrun import lockfile
from scriptrun.errors import LockError


@pytest.mark.parametrize(
    ("script", "lock"),
    [
        ("s.py", "pylock.s.toml"),
        ("s", "pylock.s.toml"),
        ("s.pyw", "pylock.s.toml"),
        ("my.tool.py", "pylock.my-tool.toml"),
        ("s.py.txt", "pylock.s-py-txt.toml"),
        (".py", "pylock.-py.toml"),
        ("naïve é.py", "pylock.naïve é.toml"),
    ],
)
def test_name_is_that_of_the_script(tmp_path: Path, script: str, lock: str) -> None:
    """A lock is called after its script, without the suffix and with no dot: the standard allows none."""
    assert lockfile.beside(str(tmp_path / script)) == (str(tmp_path / script), str(tmp_path / lock))


def test_lock_is_beside_the_real_file(tmp_path: Path) -> None:
    """Links are followed, of files and of directories."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real/s.py").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "t.py").symlink_to("link/s.py")
    assert lockfile.beside(str(tmp_path / "t.py")) == (
        str(tmp_path / "real/s.py"),
        str(tmp_path / "real/pylock.s.toml"),
    )


def test_lock_that_is_not_there_is_none(tmp_path: Path) -> None:
    """Nothing at the path, and a path below a file: there is no lock. A link that leads nowhere is an error."""
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_bytes(b"x")
    assert [lockfile.read(str(tmp_path / name)) for name in ("none", "file/none")] == [None] * 2
    with pytest.raises(LockError, match="leads nowhere"):
        lockfile.read(str(tmp_path / "dangling"))
    assert lockfile.read(str(tmp_path / "file")) == b"x"


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory, a pipe (which is not waited for) or too long a file is no missing lock: it is told."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(b"1234")
    monkeypatch.setattr(lockfile, "MAX_LOCK", 3)
    told = []
    for name in ("directory", "pipe", "long"):
        with pytest.raises(LockError) as caught:
            lockfile.read(str(tmp_path / name))
        told.append(caught.value.message)
        assert caught.value.place == str(tmp_path / name)
    assert told == [
        "the lock cannot be read: Is a directory",
        "the lock is not an ordinary file",
        "the lock is longer than the 3 bytes that are read",
    ]
