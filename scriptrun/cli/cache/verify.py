"""`scriptrun cache verify`: whether environments still are what was installed; with `--repair`, make them so again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from scriptrun import cache as caches
from scriptrun import config, generations, integrity, location, output, paths, refusals, signals
from scriptrun.arguments import Invocation, Options
from scriptrun.errors import InstallError, MetadataError, PolicyError, UsageError, escape
from scriptrun.integrity import Finding
from scriptrun.order import Distribution
from scriptrun.policy import Policy
from scriptrun.upkeep import inventory, repair
from scriptrun.upkeep.inventory import Entry


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print what is wrong, one file a line; return 1 if something is, and was not repaired. Raises ScriptrunError.

    Environments that are being built, that newer ones have replaced, or whose manifest has the format of another
    version, are not looked at.
    """
    cache = location.open_cache(environ)[0]
    configuration = config.read(environ)
    options = invocation.options.below(configuration.options)
    status = 0
    for entry in inventory.entries(cache):
        try:
            found = list(_findings(entry))
        except OSError as error:
            raise refusals.explain(f"`{entry.path}` cannot be verified", error) from None
        # It may have been removed meanwhile.
        if not found or generations.current(cache, entry.key) != os.path.basename(entry.path):
            continue
        output.give("".join(escape(f"{entry.key}: {finding}") + "\n" for finding in found))
        if "--repair" not in invocation.extra or not _repair(cache, entry, options, configuration.policy, environ):
            status = 1
    return status


def _findings(entry: Entry) -> Iterator[Finding]:
    manifest = entry.manifest
    if not entry.current or not entry.complete or (manifest is None and caches.is_foreign(entry.path)):
        return
    if manifest is None or not entry.is_sound:
        yield Finding("", "", os.path.basename(paths.manifest(entry.path)), integrity.DIFFERS)
        return
    yield from integrity.base_findings(entry.path, manifest["asked"]["interpreter"]["path"])
    installed = [Distribution(one["name"], one["version"], "", "") for one in manifest["distributions"]]
    yield from integrity.findings(entry.path, installed, unhashed=True)


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
