"""Keep environments: look one up, reserve a place for a new one, complete it.

An environment counts when its key's pointer names its generation and its manifest is there; both are written by rename,
and the pointer after all that it vouches for is on disk. The lock saves work, it is not what makes this right: two
builders never write to the same generation.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from scriptrun import deletion, generations, launch, locks, paths, patience, refusals, shape
from scriptrun.errors import InstallError
from scriptrun.order import Distribution
from scriptrun.patience import Stalled
from scriptrun.spec import EnvironmentSpec

MANIFEST_FORMAT = 1

_TIME = "%Y-%m-%dT%H:%M:%SZ"

_MANIFEST = {
    "format": int,
    "environment": str,
    "key": str,
    "created": str,
    "asked": {"interpreter": {"path": str, "version": str}, "requirements": [str]},
    "distributions": [{"name": str, "version": str, "hash": str, "origin": str}],
}
"""What a manifest must hold, for all who read one."""


class Environment(NamedTuple):
    """A complete environment: where it is, and its manifest."""

    path: str
    manifest: dict[str, Any]

    @property
    def distributions(self) -> list[dict[str, str]]:
        """Name, version, hash and origin of each distribution, as pip reported them."""
        return list(self.manifest["distributions"])


def lookup(cache: str, key: str) -> Environment | None:
    """Return the current environment of `key`, or None where there is none that can be used."""
    generation = generations.current(cache, key)
    if generation is None:
        return None
    path = os.path.join(paths.environments(cache, key), generation)
    manifest = read_manifest(path)
    return Environment(path, manifest) if manifest is not None and launch.usable(path) else None


def read_manifest(environment: str) -> dict[str, Any] | None:
    """Return the manifest of the environment at this path, or None where it is not there, or not one of this place."""
    try:
        manifest = json.loads(paths.read(paths.manifest(environment)))
    except (OSError, ValueError, RecursionError):
        return None
    if not shape.fits(manifest, _MANIFEST) or manifest["format"] != MANIFEST_FORMAT:
        return None
    return dict(manifest) if _is_same(manifest["environment"], environment) else None


def _is_same(path: str, other: str) -> bool:
    """Tell whether two paths lead to one directory: a cache may have several names, through links."""
    try:
        return path == other or os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


def is_foreign(environment: str) -> bool:
    """Tell whether the manifest of the environment at this path has a format that only another version can read."""
    return shape.is_foreign(paths.manifest(environment), MANIFEST_FORMAT)


class WaitedInVain(InstallError):
    """Another run, which this one waited for, stood still or gave up."""


@contextlib.contextmanager
def lock(cache: str, key: str, waiting: Callable[[], None], allowed: float = math.inf) -> Iterator[bool]:
    """Hold the lock of `key`; `waiting` is called when somebody else has it.

    Yields False where locks do not work, and nobody can know who else builds. Raises CacheError, Interrupted, and
    WaitedInVain where who has it stands still for `allowed` seconds, or gave up.
    """
    with hold(cache, paths.lock(cache, key), waiting, allowed) as held:
        yield held


@contextlib.contextmanager
def hold(cache: str, path: str, waiting: Callable[[], None] | None, allowed: float = math.inf) -> Iterator[bool]:
    """Hold the lock of the file at `path` in `cache`; yield False if not, see `locks.take`.

    Raises CacheError, Interrupted and WaitedInVain.
    """
    with contextlib.ExitStack() as stack:
        try:
            held = stack.enter_context(locks.hold(path, waiting, allowed))
        except Stalled as why:
            raise WaitedInVain(str(why), hint=patience.HINT) from None
        except OSError as error:
            raise refusals.explain(f"the cache `{cache}` cannot be written to", error) from None
        yield held


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
        raise refusals.explain(f"`{path}` cannot be made", error) from None
    try:
        yield
    except BaseException:
        deletion.delete(path)
        raise


def remove_leavings(cache: str, key: str) -> None:
    """Remove what dead builders of `key` left: what is incomplete, or was never published. The caller has the lock."""
    directory = paths.environments(cache, key)
    kept = generations.current(cache, key)
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            published = name == kept or os.path.exists(paths.stamp(path))
            if not (published and os.path.exists(paths.manifest(path))):
                deletion.delete(path)


def reclaim(cache: str, key: str) -> None:
    """Let the current environment of `key` be used again, if it is complete. The caller has the lock.

    Who removes an environment has the lock too, so a mark that is found is that of one who died. A stamp that was
    damaged is made anew.
    """
    named = generations.current(cache, key)
    path = os.path.join(paths.environments(cache, key), named or "")
    if named is None or read_manifest(path) is None:
        return
    with contextlib.suppress(OSError):
        paths.remove(paths.condemned(path))
        if not launch.stamped(path):
            paths.replace(paths.stamp(path), b"")


def complete(spec: EnvironmentSpec, path: str, distributions: tuple[Distribution, ...], answered: float) -> Environment:
    """Write the manifest of the environment at `path`, which makes it complete: `answered` is when pip was asked.

    What it vouches for is on disk, see `generations.settle`. It has no stamp yet: one that is complete, not
    current and without a stamp was never used by anybody. Raises OSError.
    """
    manifest = {
        "format": MANIFEST_FORMAT,
        "environment": path,
        "key": spec.key,
        "created": time.strftime(_TIME, time.gmtime()),
        "answered": time.strftime(_TIME, time.gmtime(answered)),
        "asked": spec.facts,
        "distributions": [one._asdict() for one in distributions],
    }
    text = json.dumps(manifest, indent=1)
    paths.replace(paths.manifest(path), text.encode("ascii"))
    return Environment(path, json.loads(text))


def withdraw(cache: str, environment: str, key: str) -> None:
    """Let nobody start in this environment of `key` any more; the caller has the lock. Raises OSError.

    Who runs in it goes on. The mark comes first: a builder of `key` takes back one on what is current.
    """
    paths.replace(paths.condemned(environment), b"")
    if generations.current(cache, key) == os.path.basename(environment):
        os.unlink(paths.pointer(cache, key))
