"""Provide what a bundle is made from: the lock of the script, or one that is made for the bundle alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scriptrun.bundle import target
from scriptrun.errors import UsageError
from scriptrun.pinning import basis, discovery, making, pylock
from scriptrun.resolve import Wanted


def lock(wanted: Wanted, environ: Mapping[str, str], show: Callable[[str], None]) -> Wanted:
    """Return the same with a lock: one that is made now where the script has none for its target. Nothing is written.

    That keeps to the versions of another lock that the script has. Raises UsageError for what is in no lock, LockError
    where it must be the script's own, and what making a lock raises.
    """
    more = [one for one in ("with", "with-requirements") if wanted.options.many(one)]
    if more:
        raise UsageError(f"`{more[0]}` asks for what is in no lock", hint="put it into the script's block")
    former, interpreter = wanted.lock, wanted.spec.interpreter
    if not wanted.spec.requirements or (former is not None and former.target == basis.target(interpreter)):
        return wanted
    if former is not None and (wanted.options.flag("locked") or wanted.configuration.policy.require_lock):
        discovery.refuse_other_python(former, interpreter, wanted.request)
    wanted = wanted._replace(lock=None, spec=wanted.spec._replace(lock=""))
    with target.explained(wanted.target):
        text = making.text(wanted, environ, former, show, lambda: None)
    made = pylock.parse(text.encode("ascii"), "the lock of the bundle", wanted.request.directory)
    return wanted._replace(lock=made, spec=wanted.spec._replace(lock=made.digest), max_age=0.0)
