"""Look at a script where cron would run it: what is other than here, and what scriptrun itself finds there."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scriptrun import location
from scriptrun.doctor import surroundings
from scriptrun.doctor.crontabs import Line
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding
from scriptrun.doctor.script import LAUNCHING
from scriptrun.doctor.surroundings import Surroundings
from scriptrun.jobs import crontab, job, obstacles
from scriptrun.jobs.account import PATH
from scriptrun.process import Exchanged

_BUILDING = ("SSH_AUTH_SOCK", "LD_LIBRARY_PATH", "CC", "CFLAGS", "LDFLAGS")
"""Variables by which what pip builds finds other things."""

_IN_ORDER = (
    "let it belong to root, with the mode 644, a name of letters, digits, `_` and `-` alone, and a newline at its end"
)
"""What cron wants of a file in /etc/cron.d."""


@dataclass(frozen=True)
class Place:
    """Where cron would run a script (`""`: none is looked at).

    `program` is the path of scriptrun, `line` that of a table which starts the script.
    """

    surroundings: Surroundings
    program: str
    line: Line | None
    script: str

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the words that start scriptrun with these, and the script."""
        return [self.program, *words, *([self.script] if self.script else [])]


def findings(place: Place, environ: Mapping[str, str], options: Sequence[str]) -> Iterator[Finding]:
    """Yield what is to be said of cron; `options` are the words that are to be given to scriptrun there."""
    there = place.surroundings
    variables = there.variables
    line = place.line
    message = f"as {there.account.name}, by {variables['SHELL']} with PATH={variables['PATH']}"
    yield Finding(OK, "cron", f"{message}, by {line.place}" if line else message)
    if line is not None and line.ignored:
        yield Finding(PROBLEM, "cron", f"cron ignores {line.place.rpartition(', ')[0]}: {line.ignored}", _IN_ORDER)
    if surroundings.run(there, "exit 42").status != 42:
        remedy = "let SHELL= in the table name one that is there"
        yield Finding(PROBLEM, "cron", f"`{variables['SHELL']}` cannot be started as a shell", remedy)
        return
    yield from _home(there, environ)
    yield from _program(place, options)
    yield from _differences(there, environ)
    for one in _told_there(place, options):
        matters = one.subject == LAUNCHING and one.level != OK and line is not None
        yield replace(one, level=NOTE if line.program else PROBLEM) if matters and line else one


def _home(there: Surroundings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether there is a home to stand in, which may be another one than here."""
    home = there.variables["HOME"]
    remedy = "make it, or write HOME=… and SCRIPTRUN_CACHE_DIR=… into the table, above the line"
    if not os.path.isdir(home):
        yield Finding(PROBLEM, "home", f"there is no home: `{home}` is no directory", remedy)
    elif surroundings.run(there, 'test -w "$HOME" && test -x "$HOME"').status:
        yield Finding(PROBLEM, "home", f"{there.account.name} cannot write to `{home}`", remedy)
    elif there.account.is_own and environ.get("HOME") != home:
        yield Finding(NOTE, "home", f"it is `{home}` in cron, and `{environ.get('HOME', '')}` here")
    else:
        yield Finding(OK, "home", f"{home}, where a job starts")


def _program(place: Place, options: Sequence[str]) -> Iterator[Finding]:
    """Yield whether cron finds scriptrun, by the PATH or by the path in the table's line."""
    named = place.line.program if place.line else ""
    if os.path.isabs(named):
        if _found(place, named):
            yield Finding(OK, "command", f"the table names it: {named}")
        else:
            message = f"the table names `{named}`, which {place.surroundings.account.name} cannot start"
            yield Finding(PROBLEM, "command", message, _remedy(place, options))
        return
    found = _found(place, "scriptrun")
    if not found:
        path = place.surroundings.variables["PATH"]
        unexpanded = "; cron puts nothing in for `$` and `~`" if "$" in path or "~" in path else ""
        yield Finding(PROBLEM, "command", f"`scriptrun` is not on cron's PATH{unexpanded}", _remedy(place, options))
    elif not os.path.samefile(found, place.program):
        yield Finding(NOTE, "command", f"cron finds another one: {found}", _remedy(place, options))
    else:
        yield Finding(OK, "command", f"cron's PATH has it: {found}")


def _found(place: Place, name: str) -> str:
    """Return the program that a job finds under a name or path, `""` where it finds none that it can start."""
    looked = surroundings.run(place.surroundings, f"command -v {shlex.quote(name)}")
    found = os.fsdecode(looked.output).strip().rpartition("\n")[2]
    test = f"test -f {shlex.quote(found)} && test -x {shlex.quote(found)}"
    return found if os.path.isabs(found) and not surroundings.run(place.surroundings, test).status else ""


def _remedy(place: Place, options: Sequence[str]) -> str:
    """Return what to write into a table so that this scriptrun is found."""
    path = f"PATH={os.path.dirname(place.program)}:{PATH}"
    if not place.script:
        return f"write into the table, above its lines: {path}"
    line = crontab.command(place.command(options), {})
    return f"let the line say: {line}\nor write above it: {path}"


def _differences(there: Surroundings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what scriptrun and pip are told here and not there; only the names, as passwords may stand in it."""
    names = sorted(name for name in environ if _matters(name) and there.variables.get(name) != environ[name])
    if names:
        remedy = "what a job needs of them: NAME=value lines in the table, or pip.conf and config.toml"
        yield Finding(NOTE, "variables", f"set here, and not in cron: {', '.join(names)}", remedy)
    here, cache = (location.cache_directory(variables) for variables in (environ, there.variables))
    if there.account.is_own and here != cache:
        remedy = f"write SCRIPTRUN_CACHE_DIR={here} into the table, to share it"
        yield Finding(NOTE, "variables", f"the cache is `{cache}` in cron, and `{here}` here", remedy)


def _matters(name: str) -> bool:
    return job.leads_to_index(name) or name.startswith("SCRIPTRUN_") or name in (*job.LEADING, *_BUILDING)


def _told_there(place: Place, options: Sequence[str]) -> Iterator[Finding]:
    """Yield what `doctor` finds when cron's shell starts it."""
    name, script = place.surroundings.account.name, shlex.quote(place.script)
    if place.script and surroundings.run(place.surroundings, f"test -r {script}").status:
        yield Finding(PROBLEM, "script", f"{name} cannot read {script}", "open it, and the directories above, to them")
        return
    by_itself = place.line is not None and not place.line.program
    if by_itself and surroundings.run(place.surroundings, f"test -x {script}").status:
        yield Finding(PROBLEM, LAUNCHING, f"{name} cannot execute {script}", f"run: chmod a+rx {script}")
    named = place.line.program if place.line else ""
    program = _found(place, named) if named else ""
    asked = replace(place, program=program) if program else place
    command = shlex.join(asked.command(["doctor", "--json", "--quiet", *options]))
    ended = surroundings.run(place.surroundings, f"exec {command}")
    try:
        found = [Finding(**one) for one in json.loads(ended.output)]
    except (ValueError, TypeError):  # it says something else
        found = [_unstarted(place, ended)]
    yield from found


def _unstarted(place: Place, ended: Exchanged) -> Finding:
    """Return that scriptrun does not start there, with what came of it instead, and what is closed to the user."""
    said = f"{ended.complaints}\n{ended.output.decode('utf-8', 'backslashreplace')}".strip()
    who = place.surroundings.account
    closed = [] if who.is_own else obstacles.barriers(obstacles.installation(place.program), who.uid)
    remedy = "\n".join(f"`{one}` is closed to others: install it where {who.name} can read it" for _, one in closed)
    message = said.replace("\n", "; ") or "no message"
    return Finding(PROBLEM, "scriptrun", f"it does not start there: {message}", remedy)
