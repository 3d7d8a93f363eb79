"""Keep environments: look one up, reserve a place for a new one, publish it.

An environment counts when its key's pointer names its generation and its manifest is there; both are written by rename,
after everything they vouch for is on disk. The lock saves work, it is not what makes this right: two builders
never write to the same generation.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scriptrun import extent, launch, paths, process, spec
from scriptrun.errors import CacheError
from scriptrun.pip import Distribution
from scriptrun.spec import EnvironmentSpec

MANIFEST_FORMAT = 1


@dataclass(frozen=True)
class Environment:
    """A complete environment: where it is, and its manifest."""

    path: str
    manifest: dict[str, Any]

    @property
    def distributions(self) -> list[dict[str, str]]:
        """Name, version, hash and origin of each distribution, as pip reported them."""
        return list(self.manifest["distributions"])


def lookup(cache: str, key: str) -> Environment | None:
    """Return the current environment of `key`, or None where there is none that can be used."""
    generation = current(cache, key)
    if generation is None:
        return None
    path = os.path.join(paths.environments(cache, key), generation)
    manifest = read_manifest(path)
    return Environment(path, manifest) if manifest is not None and launch.usable(path) else None


def read_manifest(environment: str) -> dict[str, Any] | None:
    """Return the manifest of the environment at this path, or None where it is not there, or not one of this place."""
    try:
        with open(paths.manifest(environment), "rb") as file:
            manifest = json.load(file)
        if manifest["format"] != MANIFEST_FORMAT or manifest["environment"] != environment:
            return None
        if not isinstance(manifest["created"], str):
            return None
        for distribution in manifest["distributions"]:
            Distribution(**distribution)
        spec.restore(manifest["asked"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return dict(manifest)


def current(cache: str, key: str) -> str | None:
    """Return the name of the generation that the pointer of `key` names, None where there is no pointer that does."""
    try:
        with open(paths.pointer(cache, key), encoding="ascii") as file:
            generation = file.read(100).strip()
    except (OSError, ValueError):
        return None
    return generation if generation.isalnum() else None


@contextlib.contextmanager
def lock(cache: str, key: str, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock of `key`; `waiting` is called once if somebody else has it. Raises CacheError and Interrupted.

    It is the kernel's (flock), so that a dead holder has none; it blocks, where the library for locks would poll.
    Yields False where locks do not work, and nobody can know who else builds.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield False
        return
    path = paths.lock(cache, key)
    try:
        paths.make_directories(os.path.dirname(path))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CacheError(f"the cache `{cache}` cannot be written to: {error.strerror}", hint=_WRITABLE) from None
    try:
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
        held = False
        with contextlib.suppress(OSError):  # file systems without locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                with process.waiting():
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            held = True
        yield held
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def generation(cache: str, key: str) -> Iterator[str]:
    """Make a new, empty directory for `key` and yield its path; remove it if the block fails. Raises CacheError."""
    directory = paths.environments(cache, key)
    path = os.path.join(directory, os.urandom(4).hex())
    try:
        with new_directory(path):
            yield path
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(directory)  # unless something is in it


@contextlib.contextmanager
def new_directory(path: str) -> Iterator[None]:
    """Make the directory `path`, and remove it again if the block fails. Raises CacheError."""
    try:
        paths.make_directories(os.path.dirname(path))
        os.mkdir(path, 0o700)
        os.chmod(path, 0o700)  # private, whatever the umask took away
    except OSError as error:
        raise CacheError(f"`{path}` cannot be made: {error.strerror}", hint=_WRITABLE) from None
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def remove_leavings(cache: str, key: str) -> None:
    """Remove what dead builders of `key` left: what is incomplete, or was never published. The caller has the lock."""
    directory = paths.environments(cache, key)
    kept = current(cache, key)
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            published = name == kept or os.path.exists(paths.stamp(path))
            if not (published and os.path.exists(paths.manifest(path))):
                shutil.rmtree(path, ignore_errors=True)


def complete(wanted: EnvironmentSpec, path: str, distributions: tuple[Distribution, ...]) -> Environment:
    """Write the manifest of the environment at `path`, which makes it count. Raises OSError."""
    paths.replace(paths.stamp(path), b"")
    _settle(path)
    manifest = {
        "format": MANIFEST_FORMAT,
        "environment": path,
        "key": wanted.key,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **asdict(extent.measure(path)),  # before, blocks are not allocated yet; the manifest itself is not in it
        "asked": asdict(wanted),
        "distributions": [asdict(one) for one in distributions],
    }
    text = json.dumps(manifest, indent=1)
    paths.replace(paths.manifest(path), text.encode("ascii"))
    return Environment(path, json.loads(text))


def publish(cache: str, environment: Environment) -> None:
    """Make a complete environment the current one of its key. Raises OSError.

    What was current before stays for those who run in it, and is marked, so that no launch record leads there again.
    """
    key = environment.manifest["key"]
    before = current(cache, key)
    pointer = paths.pointer(cache, key)
    if os.path.isdir(pointer):  # damage: a rename would not replace it
        shutil.rmtree(pointer)
    paths.replace(pointer, f"{os.path.basename(environment.path)}\n".encode("ascii"))
    marks = [paths.stamp(environment.path)]
    if before is not None:
        marks.append(paths.condemned(os.path.join(paths.environments(cache, key), before)))
    for mark in marks:
        with contextlib.suppress(OSError), open(mark, "wb"):
            pass


def withdraw(cache: str, environment: str, key: str) -> None:
    """Let nobody start in this environment of `key` any more; the caller has the lock. Raises OSError.

    Who runs in it goes on. The mark comes first: a builder of `key` takes back one on what is current.
    """
    paths.replace(paths.condemned(environment), b"")
    if current(cache, key) == os.path.basename(environment):
        os.unlink(paths.pointer(cache, key))


def _settle(path: str) -> None:
    """See to it that all that was written below `path` is on disk, before anything vouches for it."""
    if sys.platform == "linux":
        import ctypes

        descriptor = os.open(path, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) == 0:
                return
        except AttributeError:  # a C library without it
            pass
        finally:
            os.close(descriptor)
    if hasattr(os, "sync"):
        os.sync()


_WRITABLE = "set SCRIPTRUN_CACHE_DIR to a directory that you can write to"
