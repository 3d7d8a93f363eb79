"""Look at a script where cron would run it: what is other than here, and what scriptrun itself finds there."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scriptrun import location, sharing
from scriptrun.doctor import surroundings
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding
from scriptrun.doctor.script import LAUNCHING
from scriptrun.doctor.surroundings import Surroundings
from scriptrun.doctor.table import Line

_MATTERING = frozenset(
    """
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NETRC
    XDG_CACHE_HOME XDG_CONFIG_HOME SSH_AUTH_SOCK LD_LIBRARY_PATH CC CFLAGS LDFLAGS
    """.split()  # noqa: SIM905 - as a list it would be half a page
)
"""Variables by which scriptrun and pip find other things, beside their own."""


@dataclass(frozen=True)
class Place:
    """Where cron would run something: the surroundings, the path of scriptrun, and the line of a table if any."""

    there: Surroundings
    program: str
    line: Line | None


def findings(place: Place, environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[Finding]:
    """Yield what is to be said of cron; `arguments` are those with which `doctor` is run there."""
    there = place.there
    variables = there.variables
    table = f", by {place.line.table}" if place.line else ""
    message = f"as {there.account.name}, by {variables['SHELL']} with PATH={variables['PATH']}{table}"
    yield Finding(OK, "cron", message)
    yield from _home(there, environ)
    yield from _program(place, arguments)
    yield from _differences(there, environ)
    for one in _told_there(place, arguments):
        harmless = one.subject == LAUNCHING and place.line is not None and place.line.program
        yield replace(one, level=NOTE) if harmless and one.level == PROBLEM else one


def _home(there: Surroundings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether there is a home to stand in, which may be another one than here."""
    home = there.variables["HOME"]
    remedy = "make it, or write HOME=… and SCRIPTRUN_CACHE_DIR=… into the table, above the line"
    if not os.path.isdir(home):
        yield Finding(PROBLEM, "home", f"there is no home: `{home}` is no directory", remedy)
    elif surroundings.run(there, 'test -w "$HOME" && test -x "$HOME"').status:
        yield Finding(PROBLEM, "home", f"{there.account.name} cannot write to `{home}`", remedy)
    elif there.account.uid == os.geteuid() and environ.get("HOME") != home:
        yield Finding(NOTE, "home", f"it is `{home}` in cron, and `{environ.get('HOME', '')}` here")
    else:
        yield Finding(OK, "home", f"{home}, where a job starts")


def _program(place: Place, arguments: Sequence[str]) -> Iterator[Finding]:
    """Yield whether cron finds scriptrun, by the PATH or by the path in the table's line."""
    named = place.line.program if place.line else ""
    if os.path.isabs(named):
        yield Finding(OK, "command", f"the table names it: {named}")
        return
    found = surroundings.run(place.there, "command -v scriptrun")
    if found.status:
        yield Finding(PROBLEM, "command", "`scriptrun` is not on cron's PATH", _remedy(place, arguments))
    elif not os.path.samefile(found.output.strip(), place.program):
        yield Finding(NOTE, "command", f"cron finds another one: {found.output.strip()}", _remedy(place, arguments))
    else:
        yield Finding(OK, "command", f"cron's PATH has it: {found.output.strip()}")


def _remedy(place: Place, arguments: Sequence[str]) -> str:
    """Return what to write into a table so that this scriptrun is found."""
    path = f"PATH={os.path.dirname(place.program)}:{place.there.variables['PATH']}"
    if not arguments:
        return f"write `{path}` into the table, above the lines"
    line = shlex.join([place.program, *arguments])
    return f"let the line say: {line}\nor write above it: {path}"


def _differences(there: Surroundings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what scriptrun and pip are told here and not there; only the names, as passwords may stand in it."""
    names = sorted(name for name in environ if _matters(name) and there.variables.get(name) != environ[name])
    if names:
        remedy = "what a job needs of them: NAME=value lines in the table, or pip.conf and config.toml"
        yield Finding(NOTE, "variables", f"set here, and not in cron: {', '.join(names)}", remedy)
    here, cache = (location.cache_directory(variables) for variables in (environ, there.variables))
    if there.account.uid == os.geteuid() and here != cache:
        remedy = f"write SCRIPTRUN_CACHE_DIR={here} into the table, to share it"
        yield Finding(NOTE, "variables", f"the cache is `{cache}` in cron, and `{here}` here", remedy)


def _matters(name: str) -> bool:
    return name.startswith(("PIP_", "SCRIPTRUN_")) or name.upper() in _MATTERING


def _told_there(place: Place, arguments: Sequence[str]) -> Iterator[Finding]:
    """Yield what `doctor` finds when cron's shell starts it."""
    command = shlex.join([place.program, "doctor", "--json", "--quiet", *arguments])
    output = surroundings.run(place.there, f"exec {command}").output
    before, mark, facts = f"\n{output}".partition("\n[\n")
    try:
        yield from (Finding(**one) for one in json.loads(f"[{facts}" if mark else "null") or ())
    except ValueError:
        mark = ""
    if not mark:
        message = before.strip().replace("\n", "; ") or "no message"
        barrier = _barrier(place)
        remedy = f"`{barrier}` is closed to others: install it where {place.there.account.name} can read it"
        yield Finding(PROBLEM, "scriptrun", f"it does not start there: {message}", remedy if barrier else "")


def _barrier(place: Place) -> str:
    """Return what keeps a user from running scriptrun, `""` where nothing is seen to."""
    if place.there.account.uid == os.geteuid():
        return ""
    return next(filter(None, map(sharing.out_of_reach, (place.program, sys.executable))), "")
