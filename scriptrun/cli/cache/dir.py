"""`scriptrun cache dir`: where environments are kept."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import output, paths
from scriptrun.arguments import Invocation


def main(_invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the directory. Raises CacheError."""
    output.give(f"{paths.open_cache(environ)[0]}\n")
    return 0
