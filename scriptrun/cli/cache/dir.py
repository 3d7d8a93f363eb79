"""`scriptrun cache dir`: where environments are kept."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import location, output
from scriptrun.arguments import Invocation


def main(_invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the directory. Raises CacheError."""
    output.give(f"{location.open_cache(environ)[0]}\n")
    return 0
