"""`scriptrun systemd SCRIPT`: a service that runs it, and a timer. Nothing is started, and nothing enabled."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence

from scriptrun import output, process
from scriptrun.arguments import Invocation
from scriptrun.errors import EditError, ScriptrunError, UsageError
from scriptrun.jobs import job, obstacles, unit_files, units
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
    user = "--user" in extra
    places = unit_files.directories(environ, user=user)
    if "--output" in extra:
        places.insert(0, extra["--output"])
    unit_files.refuse_taken(name, wanted.script, places)
    made = units.for_user(wanted, name, calendar) if user else _for_everybody(wanted, name, calendar)
    if "--output" in extra:
        systemctl = "systemctl --user" if user else "systemctl"
        unit_files.refuse_other_start(made, places, systemctl)
        if user:
            _make(extra["--output"])
        _write(made, extra["--output"], "" if quiet else systemctl)
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


def _for_everybody(wanted: Job, name: str, calendar: str) -> list[Unit]:
    """Return units for the machine. Raises ScriptrunError where the user that they get could not run the script."""
    files, parts = list(obstacles.files(wanted)), list(obstacles.installation(wanted.program))
    for need in files:
        _refuse(need, "put it where everybody can read it, such as /usr/local/lib")
    for need in parts:
        _refuse(need, "install scriptrun for everybody, as docs/cron.md shows")
    return units.for_everybody(wanted, name, calendar, [need.path for need in (*files, *parts)])


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


def _make(directory: str) -> None:
    """Make the directory of a user's units, which a new user does not have. Raises EditError."""
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise EditError(f"`{directory}` cannot be made: {error.strerror}") from None


def _write(made: Sequence[Unit], directory: str, systemctl: str) -> None:
    """Write units into a directory; say what was done, and what comes next, unless `systemctl` is `""`."""
    done = unit_files.write(made, directory)
    if systemctl:
        shown = [f"{verb} {' and '.join(map(shlex.quote, paths))}" for verb, paths in done.items()]
        next_step = f"{systemctl} daemon-reload && {systemctl} enable --now {made[-1].name}"
        output.note(f"{', '.join(shown)}; next: {next_step}")
