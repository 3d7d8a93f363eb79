"""`scriptrun desktop uninstall`: restore what was there before `scriptrun desktop install`."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.desktop.freedesktop import registration, scope
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Take scriptrun out of the user's desktop, or with `--system` out of everybody's. Raises ScriptrunError."""
    if len(invocation.arguments) > 1:
        raise UsageError("`scriptrun desktop uninstall` takes no arguments", hint="only --system")
    where = scope.of(environ, system="--system" in invocation.extra)
    done = registration.uninstall(where, environ)
    if not invocation.options.flag("quiet"):
        output.note("a double click does what it did before" if done else "nothing was installed")
    return 0
