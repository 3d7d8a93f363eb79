"""Look at where environments are kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

from scriptrun import layout, paths, quantities
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding, of_error
from scriptrun.location import Caches

LITTLE = 500 << 20
"""With less room than this, in bytes, the next environment may not fit."""

_ELSEWHERE = "set SCRIPTRUN_CACHE_DIR to a directory that you can write to"


def findings(caches: Caches) -> Iterator[Finding]:
    """Yield what there is to say of the caches that a run may use."""
    if caches.system:
        yield Finding(OK, "system cache", caches.system)
    elif caches.note:
        yield Finding(PROBLEM, "cache", caches.note)
    if caches.lacking is not None:
        yield of_error("cache", caches.lacking)
    else:
        yield from _own(caches.own)


def _own(cache: str) -> Iterator[Finding]:
    """Yield what there is to say of the user's own cache."""
    try:
        with tempfile.TemporaryFile(dir=_made(cache)):
            free = shutil.disk_usage(cache).free
    except OSError as error:
        yield Finding(PROBLEM, "cache", f"`{cache}` cannot be written to: {error.strerror}", _ELSEWHERE)
        return
    if layout.is_noexec(cache):
        message = f"`{cache}` is on a file system that is mounted `noexec`: programs and native libraries do not work"
        yield Finding(PROBLEM, "cache", message, f"{_ELSEWHERE}, on another file system")
    room = f"{quantities.shown_octets(free)} free"
    if free < LITTLE:
        yield Finding(NOTE, "cache", f"`{cache}` has little room: {room}", "free some space: scriptrun cache prune")
    yield Finding(OK, "cache", f"{cache}, can be written to, {room}")


def _made(cache: str) -> str:
    """Return the directory of the layout in `cache`, made if need be. Raises OSError."""
    layout = os.path.join(cache, paths.LAYOUT)
    paths.make_directories(layout)
    return layout
