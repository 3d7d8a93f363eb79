"""Which files of a project a build may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scriptrun import project


def write(directory: Path, *names: str) -> None:
    """Write files that hold their own names."""
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def files(directory: Path) -> list[str]:
    """Return the paths of a project's files within it."""
    return [os.path.relpath(path, directory) for path in project.files(str(directory))]


def test_sources_of_any_layout(tmp_path: Path) -> None:
    """Whatever a build may read is a file of the project: modules, data, also those with unusual names."""
    names = ["LICENSE", "pyproject.toml", "src/a/__init__.py", "src/a/build/x.py", "src/a/data.bin", ".gitignore"]
    write(tmp_path, *names)
    assert sorted(files(tmp_path)) == sorted(names)


def test_what_programs_write_is_left_out(tmp_path: Path) -> None:
    """Byte code, what an earlier build left, virtual environments and caches are none, by name or by what they say."""
    write(tmp_path, "a.py", "__pycache__/a.pyc", "a.pyc", "build/lib/a.py", "dist/a.whl", "a.egg-info/PKG-INFO")
    write(tmp_path, ".git/HEAD", ".mypy_cache/x", ".coverage", ".coverage.host.1", ".a.py.swp", "a.py~")
    write(tmp_path, "environment/pyvenv.cfg", "environment/lib/x.py", "store/CACHEDIR.TAG", "store/x")
    write(tmp_path, "htmlcov/index.html", "src/deep/own.txt")
    (tmp_path / "htmlcov/.gitignore").write_text("# made by a program\n*\n")
    (tmp_path / ".gitignore").write_text("*\n")
    assert files(tmp_path) == [".gitignore", "a.py", "src/deep/own.txt"]


def test_linked_directories_are_followed_once(tmp_path: Path) -> None:
    """A link to a directory elsewhere is followed; loops end, and what the project itself is in is not walked."""
    write(tmp_path, "project/a.py", "project/src/b.py", "elsewhere/c.py")
    for name, target in (("src/loop", ".."), ("up", "../.."), ("root", "/"), ("out", "../elsewhere"), ("gone", "x")):
        (tmp_path / "project" / name).symlink_to(target, target_is_directory=True)
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "project")
    (tmp_path / "elsewhere/self").symlink_to(".")
    assert files(tmp_path / "project") == ["a.py", "out/c.py", "src/b.py"]


def test_odd_files_are_left_out(tmp_path: Path) -> None:
    """What is no ordinary file is not read: to open a pipe would wait for ever."""
    write(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert files(tmp_path) == ["a.py"]


@pytest.mark.parametrize("name", ["pyproject.toml", "src/a.py"])
def test_project_behind_a_link(tmp_path: Path, name: str) -> None:
    """A project that is named by a link to it is the same."""
    write(tmp_path, f"real/{name}")
    (tmp_path / "link").symlink_to("real")
    assert files(tmp_path / "link") == [name]
