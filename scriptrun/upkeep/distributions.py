"""Remove distributions from the store that no environment holds, and what builders began to keep and did not finish.

Nothing is waited for and nothing is locked. Who puts an environment together from a distribution that goes meanwhile
asks pip; who is done has links of its own to the files.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection

from scriptrun import deletion, paths
from scriptrun.store import kept
from scriptrun.upkeep import inventory


def lost(cache: str, names: Collection[str], held: Collection[str], idle: float) -> list[str]:
    """Return the names of those distributions that are not held, and were not within `idle` seconds.

    The time of one is when it was put into the store, or when a removal found it held.
    """
    return [name for name in names if name not in held and _is_old(_place(cache, name), idle)]


def remove(cache: str, released: Collection[str], idle: float, grace: float) -> int:
    """Remove what no environment holds: those `released` just now, others after `idle` seconds; return the bytes.

    What was begun goes when its process has gone, and after `grace` seconds: it may be one of another machine.
    """
    freed = sum(deletion.delete(path) for path in kept.leavings(cache) if _is_old(path, grace))
    held = inventory.held(cache)
    for name in held:
        with contextlib.suppress(OSError):
            os.utime(_place(cache, name))
    going = {*lost(cache, inventory.kept_names(cache), held, idle), *lost(cache, released, held, 0.0)}
    return freed + sum(kept.remove(cache, name) for name in sorted(going))


def _place(cache: str, name: str) -> str:
    return os.path.join(paths.store(cache), name)


def _is_old(path: str, age: float) -> bool:
    """Tell whether a directory was not touched for so many seconds; a time that is yet to come is now."""
    with contextlib.suppress(OSError):
        return max(0.0, time.time() - os.lstat(path).st_mtime) >= age
    return False
