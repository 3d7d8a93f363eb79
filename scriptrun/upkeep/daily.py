"""See to a cache's bounds once a day, in the background of nobody."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from scriptrun import paths, process
from scriptrun.config import Configuration

_DAY = 86400.0

_GRACE = 3600.0
"""For how many seconds after its last use an environment stays, when nobody asked for a removal."""


_ORPHANED = 7 * _DAY
"""For how many seconds an environment stays whose scripts are gone, and a distribution that no environment holds.

Nobody has said that they are gone for good.
"""


def see_to(cache: str, configuration: Configuration) -> None:
    """Start a process that prunes the cache, unless one did within a day.

    The caller goes on at once, and hears nothing of it, also where nothing can be done: the cache may be read-only.
    PID 1 would adopt that process, and have a child that the script knows nothing of: it leaves this to others.
    """
    if sys.platform != "win32" and not process.is_init():
        with contextlib.suppress(OSError):
            if _is_due(paths.pruned(cache)):
                process.detach(lambda: _prune(cache, configuration))


def _is_due(mark: str) -> bool:
    """Tell whether the mark is older than a day, or from a time to come, and make it new. Raises OSError."""
    try:
        age = time.time() - os.stat(mark).st_mtime
    except FileNotFoundError:
        paths.replace(mark, b"")
        return False  # a new cache
    if 0 <= age < _DAY:
        return False
    os.utime(mark)
    return True


def _prune(cache: str, configuration: Configuration) -> None:
    """Prune the cache, unless somebody else does; nobody waits for this."""
    from scriptrun.upkeep import removal

    os.nice(19)
    with removal.alone(cache) as alone:
        if alone:
            from scriptrun.upkeep import housekeeping

            known = max(housekeeping.WEEK, configuration.answers_max_age)
            bounds = housekeeping.Bounds(configuration.max_idle, configuration.max_size, _ORPHANED, known)
            housekeeping.prune(cache, bounds, _GRACE)
