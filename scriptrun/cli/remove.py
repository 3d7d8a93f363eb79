"""`scriptrun remove SCRIPT NAME…`: take requirements out of the block of a script."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun.arguments import Invocation
from scriptrun.cli import change
from scriptrun.editing import requirements
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove all requirements for the named distributions from a script. Raises ScriptrunError."""
    if len(invocation.arguments) < 2:
        raise UsageError(
            "`scriptrun remove` takes a script, and a name or several", hint="scriptrun remove SCRIPT NAME…"
        )
    path, *names = invocation.arguments
    script = change.start(path, invocation.options, environ)
    text, indices = change.indexed(script, names)
    for index in sorted(indices, reverse=True):
        text = requirements.remove(text, index)
    script.resolve(text)
    script.keep(text)
    return 0
