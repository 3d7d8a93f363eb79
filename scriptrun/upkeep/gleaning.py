"""Take over into the store what environments have that others could use: byte code of what their scripts imported."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

from scriptrun import paths
from scriptrun.store import compiled
from scriptrun.upkeep import extents
from scriptrun.upkeep.inventory import Entry


def glean(cache: str, entries: Iterable[Entry]) -> None:
    """Take over byte code from the environments that were used since this was done last.

    Their scripts may have gone on importing for a while after that. What cannot be written is not taken.
    """
    mark, begun = paths.compiled(cache), time.time()
    since = _mtime(mark) - extents.SETTLED
    changed, givers = set(), set()
    for entry in entries:
        if entry.manifest is not None and entry.is_sound and entry.last_used >= since:
            taken = compiled.take_over(cache, entry.path, entry.manifest, since)
            changed.update(taken)
            givers |= {f"{entry.key}/{os.path.basename(entry.path)}"} if taken else set()
    with contextlib.suppress(OSError):
        if changed:
            extents.forget(cache, extents.DISTRIBUTIONS, changed)
            extents.forget(cache, extents.ENVIRONMENTS, givers)
        paths.replace(mark, b"", durable=False)
        os.utime(mark, (begun, begun))


def _mtime(path: str) -> float:
    """Return when a file was changed last, in seconds; the beginning of all where there is none."""
    try:
        return min(os.stat(path).st_mtime, time.time())
    except OSError:
        return 0.0
