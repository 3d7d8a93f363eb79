"""Which scripts have run here before, or were let run: known by their content.

Of what was let run nothing but a hash is kept: an empty file with this name, below the user's state directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.machinery
import os
from collections.abc import Mapping

from scriptrun import launch, paths
from scriptrun.block import Block
from scriptrun.desktop import folders
from scriptrun.request import Request
from scriptrun.source import Source

MOST = 1000
"""How many hashes are kept; the one that was not used for longest goes first."""


def digests(program: Source, found: Block | None, lock: bytes | None) -> list[str]:
    """Return the hashes that a script is known by: one for its folder, and, if no folder matters, one for all.

    They are of its content, and of the lock beside it, which says what is installed, where there is one. A folder
    matters where modules in it, or paths in the block `found`, may lead to something else than in another folder.
    """
    hashed = hashlib.sha256(program.content)
    if lock is not None:
        hashed.update(hashed.digest() + hashlib.sha256(lock).digest())
    everywhere = hashed.hexdigest()
    folder, name = os.path.split(os.path.realpath(program.file))
    hashed.update(hashed.digest() + os.fsencode(folder))
    matters = (found is not None and b"tool" in found.raw) or any(_is_module(one) for one in _beside(folder, name))
    return [hashed.hexdigest()] if matters else [hashed.hexdigest(), everywhere]


def _beside(folder: str, name: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [one for one in entries if one.name != name]
    except OSError:  # one that may be passed and not read
        return []


def _is_module(entry: os.DirEntry[str]) -> bool:
    """Tell whether a script could import what is beside it."""
    stem, dot, _ = entry.name.partition(".")
    is_named_so = not dot or any(entry.name.endswith(suffix) for suffix in importlib.machinery.all_suffixes())
    return stem.isidentifier() and is_named_so and (bool(dot) or entry.is_dir())


def has_run(asked: Request) -> bool:
    """Tell whether a launch record shows that the file has run from this path, and was not changed since.

    What is compared is the time of the last change, which nobody can set, on the file system of the record, and
    neither a copy nor a rename keeps; and the first lines. A record that is for a lock counts for nothing here: with
    another lock, or none, other things are installed.
    """
    program = asked.source
    proof = None if program is None else launch.head(program.content, asked.block)
    if program is None or proof is None or not asked.caches.own or asked.lock is not None:
        return False
    path = paths.record(asked.caches.own, program.file)
    try:
        record, file = os.stat(path), os.stat(program.file)
    except OSError:
        return False
    unchanged = file.st_dev == record.st_dev and file.st_ctime_ns < record.st_mtime_ns
    return unchanged and launch.is_recorded(path, asked.beside, proof[0])


def is_agreed(digest: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the user has agreed before that a script with this hash may run."""
    path = os.path.join(_directory(environ), digest)
    if not (_is_private(_directory(environ)) and os.path.isfile(path)):
        return False
    with contextlib.suppress(OSError):
        os.utime(path)
    return True


def remember(digest: str, environ: Mapping[str, str]) -> None:
    """Keep that the user has agreed. What cannot be kept is asked again."""
    directory = _directory(environ)
    with contextlib.suppress(OSError):
        paths.replace(os.path.join(directory, digest), b"")
        kept = sorted(os.scandir(directory), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in kept[MOST:]:
            os.unlink(old.path)


def _directory(environ: Mapping[str, str]) -> str:
    return os.path.join(folders.state_home(environ), "scriptrun", "approved")


def _is_private(directory: str) -> bool:
    """Tell whether nobody else can put a hash there, as under `sudo` with the home of another user."""
    if not hasattr(os, "geteuid"):
        return True
    try:
        status = os.stat(directory)
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022
