"""A new script, and the Python that a file beside it pins."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from scriptrun.editing import document, skeleton


def test_program() -> None:
    """It is valid Python, and its block holds the text."""
    content = skeleton.program(skeleton.block(">=3.10"))
    ast.parse(content)
    assert document.block_text(content, "s.py") == 'requires-python = ">=3.10"\ndependencies = []\n'


@pytest.mark.parametrize(
    ("pinned", "expected"),
    [("3.11\n", "3.11"), ("# why\n3.11.4\n3.12\n", "3.11"), ("cpython-3.9", "3.9"), ("system\n", ""), ("", "")],
)
def test_pin(tmp_path: Path, pinned: str, expected: str) -> None:
    """The first version of the nearest file counts, without its patch level; a name of an environment is none."""
    (tmp_path / ".python-version").write_text("3.8\n")
    directory = tmp_path / "a" / "b"
    directory.mkdir(parents=True)
    assert skeleton.pin(str(directory)) == ("3.8", str(tmp_path / ".python-version"))
    (tmp_path / "a" / ".python-version").write_text(pinned)
    assert skeleton.pin(str(directory)) == (expected, str(tmp_path / "a" / ".python-version"))


def test_pin_that_cannot_be_read(tmp_path: Path) -> None:
    """A directory, a device or no text in its place is passed over."""
    (tmp_path / ".python-version").write_text("3.8\n")
    directory = tmp_path / "a" / "b"
    (directory / ".python-version").mkdir(parents=True)
    (tmp_path / "a" / ".python-version").symlink_to(os.devnull)
    assert skeleton.pin(str(directory)) == ("3.8", str(tmp_path / ".python-version"))
    os.unlink(tmp_path / "a" / ".python-version")
    (tmp_path / "a" / ".python-version").write_bytes(b"\xff")
    assert skeleton.pin(str(directory)) == ("3.8", str(tmp_path / ".python-version"))
