"""`scriptrun desktop install`: make scriptrun an application that opens scripts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.desktop.freedesktop import associations, handler, mime_type, registration, scope
from scriptrun.desktop.freedesktop.associations import Session
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Register scriptrun for the user, or with `--system` for everybody. Raises ScriptrunError."""
    if len(invocation.arguments) > 1:
        raise UsageError("`scriptrun desktop install` takes no arguments", hint="only --default and --system")
    system, default = "--system" in invocation.extra, "--default" in invocation.extra
    if system:
        os.umask(0o022)  # everybody is to read it
    where = scope.of(environ, system=system)
    registration.install(where, environ, default=default)
    if not invocation.options.flag("quiet"):
        output.note(_done(where.session))
    opener = associations.default(where.session, mime_type.TYPE)
    if default and opener != handler.NAME:
        output.warn(
            f"a list of this desktop alone says that {opener} opens scripts",
            "`scriptrun desktop status` shows which",
            handler.NAME,
        )
    return 0


def _done(session: Session) -> str:
    """Say what a double click does now."""
    opener = associations.default(session, mime_type.TYPE)
    if opener == handler.NAME:
        return "a double click on a script runs it; other Python files open as before"
    name = associations.entry(session, opener).get("Name", opener)
    return f"scripts open with {name}, as before, and offer Run Script; with --default, a double click runs them"
