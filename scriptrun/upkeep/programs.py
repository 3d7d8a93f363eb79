"""Remove programs that came from URLs or bundles and that nobody runs any more."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from scriptrun import deletion, paths
from scriptrun.upkeep import usage


def remove(cache: str, idle: float) -> int:
    """Forget the URLs that were not used for `idle` seconds, then remove programs that no URL has any more.

    So go the scripts of bundles that were not used for so long. Programs that run stay, as they may be read again.
    Returns the bytes that this freed.
    """
    freed = sum(deletion.delete(path) for path in _entries(paths.remote_urls(cache)) if _is_old(path, idle))
    named = {_digest(path) for path in _entries(paths.remote_urls(cache))}
    orphans = [path for path in _entries(paths.remote_scripts(cache)) if os.path.basename(path) not in named]
    orphans += _entries(paths.bundles(cache))
    orphans = [path for path in orphans if _is_old(path, idle)]
    running = usage.in_use(orphans) if orphans else set()
    return freed + sum(deletion.delete(path) for path in orphans if path not in running)


def _entries(directory: str) -> Iterator[str]:
    """Yield the paths of what is in a directory of the cache; nothing where a link leads elsewhere."""
    with contextlib.suppress(OSError):
        if not os.path.islink(directory):
            yield from (os.path.join(directory, name) for name in os.listdir(directory))


def _is_old(path: str, idle: float) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime >= idle
    except OSError:
        return False


def _digest(path: str) -> str:
    """Return the hash of the program that a URL has."""
    with contextlib.suppress(OSError, ValueError):
        return paths.read(path).decode("utf-8", "surrogateescape").partition(" ")[0]
    return ""
