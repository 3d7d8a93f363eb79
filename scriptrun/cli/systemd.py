"""`scriptrun systemd SCRIPT`: a service that runs it, and a timer. Nothing is started, and nothing enabled."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence

from scriptrun import output, process
from scriptrun.arguments import Invocation
from scriptrun.editing import document
from scriptrun.editing.document import Document
from scriptrun.errors import EditError, ScriptrunError, UsageError
from scriptrun.jobs import job, obstacles, units
from scriptrun.jobs.job import Job
from scriptrun.jobs.obstacles import Need
from scriptrun.jobs.units import Unit

_USAGE = 'scriptrun systemd SCRIPT [ARG...] [--on-calendar "TIME"] [--name NAME] [--user] [--output DIR]'


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the units for a script, or write them into a directory. Raises ScriptrunError."""
    if not invocation.arguments:
        raise UsageError("`scriptrun systemd` takes a script", hint=_USAGE)
    extra, quiet = invocation.extra, invocation.options.flag("quiet")
    wanted = job.read(invocation, environ)
    name = _name(extra.get("--name"), wanted)
    calendar = extra.get("--on-calendar", "")
    if "--on-calendar" in extra:
        _refuse_calendar(calendar, environ)
    if "--user" in extra:
        made = units.for_user(wanted, name, calendar)
    else:
        _refuse_closed(wanted)
        made = units.for_everybody(wanted, name, calendar)
    if "--output" in extra:
        _write(made, extra["--output"], quiet=quiet, user="--user" in extra)
    else:
        output.give("\n".join(unit.text for unit in made))
    left = job.left_behind(environ)
    if left and not quiet:
        output.note(f"set here, and not in a service: {', '.join(left)}; write it into pip.conf")
    return 0


def _name(asked: str | None, wanted: Job) -> str:
    name = units.name_for(wanted.script) if asked is None else asked
    if not units.is_name(name):
        raise UsageError(
            f"units cannot be called `{name}`", hint="choose with --name: letters, digits, `_`, `-` and `.`"
        )
    return name


def _refuse_calendar(calendar: str, environ: Mapping[str, str]) -> None:
    """Raise UsageError for a time that systemd does not understand, where it is here to be asked."""
    if not calendar.isprintable() or not calendar.strip():
        raise UsageError(f"`--on-calendar` is `{calendar}`", hint='write a time, such as "*-*-* 06:00"')
    program = shutil.which("systemd-analyze", path=environ.get("PATH", os.defpath))
    if program is None:
        return
    finished = process.run([program, "calendar", "--", calendar], environment=environ, directory="/")
    if finished.status != 0:
        raise UsageError(
            f"`--on-calendar` is `{calendar}`: {finished.output.strip()}",
            hint='write it as `systemd-analyze calendar` understands it, such as "*-*-* 06:00"',
        )


def _refuse_closed(wanted: Job) -> None:
    """Raise ScriptrunError where the user that a service gets could not read the script, or run scriptrun."""
    _refuse(obstacles.script(wanted.script), "put it where everybody can read it, such as /usr/local/lib")
    for need in obstacles.installation(wanted.program):
        _refuse(need, "install scriptrun for everybody, as docs/cron.md shows")


def _refuse(need: Need, remedy: str) -> None:
    """Raise ScriptrunError where a service does not get what it needs."""
    hint = f"{remedy}; or make units of your own, with --user"
    for path in (need.path, os.path.realpath(need.path)):
        if path.startswith(("/tmp/", "/var/tmp/")):  # noqa: S108 - nothing is written there
            raise ScriptrunError(f"{need.what} is `{path}`, and a service has a /tmp of its own", hint=hint)
    barrier = need.barrier
    if barrier:
        message = f"a service has a user of its own, for whom `{barrier}` is closed: {need.what} is `{need.path}`"
        raise ScriptrunError(message, hint=hint)


def _write(made: Sequence[Unit], directory: str, *, quiet: bool, user: bool) -> None:
    """Write units into a directory, in the place of earlier ones, and say what comes next."""
    paths = {unit: os.path.join(directory, unit.name) for unit in made}
    before = {unit: _earlier(unit, path) for unit, path in paths.items() if os.path.lexists(path)}
    for unit, path in paths.items():
        if unit in before:
            document.write(before[unit], os.fsencode(unit.text))
        else:
            document.create(path, os.fsencode(unit.text), 0o644)
    if not quiet:
        command = "systemctl --user" if user else "systemctl"
        shown = " and ".join(shlex.quote(path) for path in paths.values())
        output.note(f"made {shown}; next: {command} daemon-reload && {command} enable --now {made[-1].name}")


def _earlier(unit: Unit, path: str) -> Document:
    """Return the file that a unit replaces. Raises EditError where scriptrun did not make it."""
    found = document.read(path)
    if not found.content.startswith(units.mark(unit.name).encode()):
        raise EditError(f"`{path}` is there, and not made by scriptrun", hint="choose another name with --name")
    return found
