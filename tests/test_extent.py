"""How much room a directory takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scriptrun import extent
from scriptrun.extent import Extent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with files of 0, 5, 5000 and 100,000 bytes on three levels, one of them sparse, and links."""
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "empty").touch()
    (tree / "a/small").write_bytes(b"x" * 5)
    (tree / "a/b/larger").write_bytes(b"x" * 5000)
    with open(tree / "a/b/sparse", "wb") as file:
        file.truncate(100_000)
    (tree / "a/link").symlink_to("b")
    (tree / "a/dangling").symlink_to("nowhere")
    os.sync()
    return tree


def du(path: Path) -> int:
    """Return the bytes that `du` says are allocated."""
    return int(subprocess.check_output(["du", "-s", "--block-size=1", path], text=True).split()[0])


def test_files_count_by_length_and_by_blocks(tree: Path) -> None:
    """The size is what files hold, links their own text; what comes back is what `du` counts, directories too."""
    size = 0 + 5 + 5000 + 100_000 + len("b") + len("nowhere")
    assert extent.measure(str(tree)) == Extent(size, linked=0, taken=du(tree), freed=du(tree))


def test_what_has_another_name_frees_nothing(tree: Path, tmp_path: Path) -> None:
    """A file with a hard link elsewhere is there, and takes its blocks, which stay when it is removed."""
    before = extent.measure(str(tree))
    allocated = (tree / "a/b/larger").stat().st_blocks * 512
    assert allocated > 0
    os.link(tree / "a/b/larger", tmp_path / "elsewhere")
    assert extent.measure(str(tree)) == Extent(before.size, 5000, before.taken, before.freed - allocated)


def test_nothing_takes_nothing(tmp_path: Path) -> None:
    """A directory that has gone takes no room."""
    assert extent.measure(str(tmp_path / "gone")) == Extent()
