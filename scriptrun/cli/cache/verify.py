"""`scriptrun cache verify`: whether environments still are what was installed; with `--repair`, make them so again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from scriptrun import cache as caches
from scriptrun import config, generations, integrity, location, output, paths, refusals, signals
from scriptrun.arguments import Invocation, Options
from scriptrun.errors import InstallError, MetadataError, PolicyError, UsageError, escape
from scriptrun.integrity import Digests, Finding
from scriptrun.order import Distribution
from scriptrun.policy import Policy
from scriptrun.store import kept
from scriptrun.upkeep import inventory, repair, soundness
from scriptrun.upkeep.inventory import Entry


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print what is wrong, one file a line; return 1 if something is, and was not repaired. Raises ScriptrunError.

    Environments that are being built, that newer ones have replaced, or whose manifest has the format of another
    version, are not looked at. What is damaged in the store leaves it first, so that no environment gets it again.
    """
    cache = location.open_cache(environ)[0]
    configuration = config.read(environ)
    options = invocation.options.below(configuration.options)
    entries = inventory.entries(cache)
    digests: Digests = {}
    status = _verify_store(cache, entries, options, digests, repairing="--repair" in invocation.extra)
    for entry in entries:
        with _explained(entry.path):
            found = list(_findings(entry, digests))
        # It may have been removed meanwhile.
        if not found or generations.current(cache, entry.key) != os.path.basename(entry.path):
            continue
        output.give("".join(escape(f"{entry.key}: {finding}") + "\n" for finding in found))
        if "--repair" not in invocation.extra or not _repair(cache, entry, options, configuration.policy, environ):
            status = 1
    return status


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Say in words what the machine lacks to read what is at a path."""
    try:
        yield
    except OSError as error:
        raise refusals.explain(f"`{path}` cannot be verified", error) from None


def _verify_store(cache: str, entries: Sequence[Entry], options: Options, digests: Digests, *, repairing: bool) -> int:
    """Print what is wrong in the store, and who holds it; remove it if asked to. Return the exit status."""
    with _explained(paths.store(cache)):
        found = list(soundness.damages(cache, digests))
    for one in found:
        holders = ", ".join(sorted(entry.key for entry in entries if one.name in entry.kept))
        held = f"; held by {holders}" if holders else ""
        output.give(escape(f"store: {one.name}: {one.file} {one.what}{held}") + "\n")
    damaged = sorted({one.name for one in found})
    for name in damaged if repairing else ():
        kept.remove(cache, name)
        if not options.flag("quiet"):
            output.note(f"{name} was removed from the store")
    return int(any(os.path.lexists(os.path.join(paths.store(cache), name)) for name in damaged))


def _findings(entry: Entry, digests: Digests) -> Iterator[Finding]:
    manifest = entry.manifest
    if not entry.current or not entry.complete or (manifest is None and caches.is_foreign(entry.path)):
        return
    if manifest is None or not entry.is_sound:
        yield Finding("", "", os.path.basename(paths.manifest(entry.path)), integrity.DIFFERS)
        return
    yield from integrity.base_findings(entry.path, manifest["asked"]["interpreter"]["path"])
    installed = [Distribution(one["name"], one["version"], "", "") for one in manifest["distributions"]]
    yield from integrity.findings(entry.path, installed, unhashed=True, digests=digests)


def _repair(cache: str, entry: Entry, options: Options, policy: Policy, environ: Mapping[str, str]) -> bool:
    """Rebuild an environment, or take it out of use where that fails, and say which; tell whether it was rebuilt."""
    try:
        with signals.interruptible():
            repair.rebuild(cache, entry, options, policy, environ)
    except (InstallError, MetadataError, PolicyError, UsageError) as error:
        repair.withdraw(cache, entry)
        failure = InstallError(
            f"{entry.key} cannot be rebuilt: {error.message}",
            details=error.details,
            hint="it is out of use now: the next run that needs it prepares it anew",
        )
        output.tell(failure.render())
        return False
    if not options.flag("quiet"):
        output.note(f"{entry.key} was rebuilt")
    return True
