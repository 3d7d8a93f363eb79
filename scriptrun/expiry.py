"""Ask pip again after a while: environments of scripts that set a maximum age.

An environment may serve several scripts with different ages, so there is an empty file in it for each age, whose mtime
is when pip is to be asked again: the launcher sees that without starting anything.
"""

from __future__ import annotations

import contextlib
import os
import time

from scriptrun import launch, paths
from scriptrun.cache import Environment

RETRY = 3600.0
"""After how many seconds pip is asked again when it has failed, or the process that asked it has died."""


def is_due(environment: Environment, max_age: float) -> bool:
    """Tell whether pip is to be asked again for a script with `max_age`, in seconds (0: never)."""
    if not max_age:
        return False
    due = paths.due(environment.path, max_age)
    return launch.is_past(due) if os.path.exists(due) else answered(environment) + max_age <= time.time()


def mark(environment: Environment, max_age: float) -> str:
    """Return the file whose mtime is when pip is to be asked again, made if need be; `""` where it cannot be made."""
    path = paths.due(environment.path, max_age)
    if not os.path.exists(path):
        _set(path, answered(environment) + max_age)
    return path if os.path.exists(path) else ""


def postpone(environment: Environment, max_age: float) -> None:
    """Put off asking pip for RETRY seconds, as `environment` has to do for now, also where that is beyond `max_age`."""
    _set(paths.due(environment.path, max_age), time.time() + RETRY)


def _set(path: str, moment: float) -> None:
    with contextlib.suppress(OSError):  # a cache that is read-only, or somebody else's
        if not os.path.isfile(path) or os.path.islink(path):
            paths.replace(path, b"")
        os.utime(path, (moment, moment))


def answered(environment: Environment) -> float:
    """Return when pip was asked, in seconds since the epoch; a time to come counts as none.

    What is put together from the store is younger than pip's answer; older manifests tell when they were made alone.
    """
    manifest = environment.manifest
    try:
        import calendar  # for scripts with a maximum age alone, and it takes the names of days along

        asked = calendar.timegm(time.strptime(manifest.get("answered", manifest["created"]), "%Y-%m-%dT%H:%M:%SZ"))
    except (KeyError, TypeError, ValueError):
        return 0.0
    return asked if asked <= time.time() else 0.0
