"""Provide what a bundle is made from: the lock of the script, or one that is made for the bundle alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scriptrun.errors import UsageError
from scriptrun.pinning import making, pylock
from scriptrun.resolve import Wanted


def lock(wanted: Wanted, environ: Mapping[str, str], show: Callable[[str], None]) -> Wanted:
    """Return the same with a lock: one that is made now where the script has none. Nothing is written.

    Raises UsageError for what is in no lock, and what making a lock raises.
    """
    more = [one for one in ("with", "with-requirements") if wanted.options.many(one)]
    if more:
        raise UsageError(f"`{more[0]}` asks for what is in no lock", hint="put it into the script's block")
    if wanted.lock is not None or not wanted.spec.requirements:
        return wanted
    text = making.text(wanted, environ, None, show, lambda: None)
    made = pylock.parse(text.encode("ascii"), "the lock of the bundle", wanted.request.directory)
    return wanted._replace(lock=made, spec=wanted.spec._replace(lock=made.digest), max_age=0.0)
