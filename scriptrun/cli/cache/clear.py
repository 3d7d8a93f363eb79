"""`scriptrun cache clear`: remove all that is not in use."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import location, output
from scriptrun.arguments import Invocation
from scriptrun.cli.cache import prune
from scriptrun.errors import escape
from scriptrun.upkeep import housekeeping


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Empty the cache, say so on stdout, and name what is kept. Raises UsageError and CacheError."""
    grace = prune.given_grace(invocation.extra)
    cache = location.open_cache(environ)[0]
    outcome = prune.alone(cache, invocation.options, lambda: housekeeping.clear(cache, grace))
    kept = "".join(f"kept {escape(path)}: {reason}\n" for path, reason in sorted(outcome.kept.items()))
    output.give(prune.told(outcome) + kept)
    return 0
