"""Damage a file in the ways that disks, other programs and people do."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

VICTIM = "victim"
"""The file, in a directory outside, that a link may lead to; nobody may change it."""


def remove(path: Path) -> None:
    """Remove whatever is there."""
    while path.is_dir() and not path.is_symlink():
        with contextlib.suppress(FileNotFoundError):  # who removes what an isolated run left is at it, too
            shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _content(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], object]:
    return lambda path, _outside: path.write_bytes(change(path.read_bytes()))


def _instead(make: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
    def damage(path: Path, outside: Path) -> None:
        remove(path)
        make(path, outside)

    return damage


CUT: dict[str, Callable[[Path, Path], object]] = {
    "first byte alone": _content(lambda content: content[:1]),
    "first half alone": _content(lambda content: content[: len(content) // 2]),
    "last byte lost": _content(lambda content: content[:-1]),
    "emptied": _content(lambda _: b""),
}
"""For a file with content: what may be left of it."""

WAYS: dict[str, Callable[[Path, Path], object]] = {
    "missing": lambda path, _: path.unlink(),
    "random bytes": _content(lambda _: random.Random(1).randbytes(300)),
    "unreadable": lambda path, _: path.chmod(0),
    "directory": _instead(lambda path, _: path.mkdir()),
    "full directory": _instead(lambda path, _: (path / "more" / "inside").mkdir(parents=True)),
    "link to nowhere": _instead(lambda path, _: path.symlink_to("nowhere")),
    "link to a file outside": _instead(lambda path, outside: path.symlink_to(outside / VICTIM)),
    "pipe": _instead(lambda path, _: os.mkfifo(path)),
}
"""For every file: what may be at its place. Each takes the file, and a directory outside that holds the victim."""

OBSTACLES: dict[str, Callable[[Path, Path], object]] = {
    "file": _instead(lambda path, _: path.write_bytes(b"\0")),
    "link to itself": _instead(lambda path, _: path.symlink_to(path.name)),
    **{name: WAYS[name] for name in ("link to nowhere", "link to a file outside", "pipe")},
}
"""What may be in the place of a directory."""
