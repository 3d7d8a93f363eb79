"""`scriptrun doctor [SCRIPT]`: what keeps a script from running, here or, with `--cron`, where cron runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from scriptrun import arguments, location, output, process, request, resolve
from scriptrun.arguments import Invocation, Options
from scriptrun.cli import run
from scriptrun.doctor import index, installation, storage, surroundings, table, there
from scriptrun.doctor import script as scripts
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding, of_error
from scriptrun.errors import (
    CacheError,
    Interrupted,
    LockError,
    ScriptMissing,
    ScriptrunError,
    UsageError,
    escape,
    without_credentials,
)
from scriptrun.jobs import job
from scriptrun.request import Request
from scriptrun.resolve import Wanted

_FORM = "scriptrun doctor [SCRIPT] [--cron] [--user NAME] [--json]"


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print what is found, one finding a line with its remedy below, or with `--json` an array of objects.

    The status is 1 if there is a problem. Raises ScriptrunError for what it is not about: a script that is not there.
    """
    if len(invocation.arguments) > 1:
        raise UsageError("`scriptrun doctor` takes one script at most", hint=_FORM)
    if "--user" in invocation.extra and "--cron" not in invocation.extra:
        raise UsageError("`--user` goes with `--cron`", hint=_FORM)
    for path in invocation.arguments:
        if not os.path.isfile(path):
            raise ScriptMissing(f"no such file: `{path}`")
    with process.interruptible():
        found = list(_of_cron(invocation, environ) if "--cron" in invocation.extra else _here(invocation, environ))
    facts = [{name: without_credentials(text) for name, text in asdict(one).items()} for one in found]
    as_json = "--json" in invocation.extra
    output.give(json.dumps(facts, indent=2) + "\n" if as_json else "".join(map(_text, found)))
    return int(any(one.level == PROBLEM for one in found))


def _here(invocation: Invocation, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what there is to say of scriptrun and the script in this environment."""
    program = job.program(environ)
    yield from installation.findings(environ, program)
    yield from storage.findings(environ)
    try:
        if invocation.arguments:
            yield from _script(invocation, environ, program)
        else:
            yield installation.pythons(environ, location.open_cache(environ)[0])
            yield index.of_machine(invocation.options, environ)
    except CacheError:  # it has been told
        pass
    except Interrupted:
        raise
    except ScriptrunError as error:
        yield of_error("script" if invocation.arguments else "index", error)


def _script(invocation: Invocation, environ: Mapping[str, str], program: str) -> Iterator[Finding]:
    """Yield what there is to say of the script, which is prepared for that. Raises ScriptrunError."""
    (path,) = invocation.arguments
    asked = request.read(arguments.script(path, invocation.options), environ)
    if asked.source is not None:
        yield from scripts.first_line(asked.source)
    wanted = _wanted(asked, environ)
    if isinstance(wanted, Finding):
        yield wanted
        return
    yield Finding(OK, "python", f"{wanted.choice.interpreter}: {wanted.choice.reason}")
    if wanted.lock is not None:
        yield Finding(OK, "lock", f"{wanted.lock.file}, for {wanted.lock.target}")
    prepared = _prepared(wanted, environ)
    yield prepared
    yield index.of_script(wanted, environ, ready=prepared.level != PROBLEM)
    if prepared.level != PROBLEM:
        yield scripts.start(program, path, _given(invocation.options), environ)


def _wanted(asked: Request, environ: Mapping[str, str]) -> Wanted | Finding:
    """Return what the script comes to, or why that cannot be told."""
    try:
        return resolve.resolve(asked, environ)
    except LockError as error:
        return of_error("lock", error)
    except Interrupted:
        raise
    except ScriptrunError as error:
        return of_error("script", error)


def _prepared(wanted: Wanted, environ: Mapping[str, str]) -> Finding:
    """Return what came of preparing the script's environment."""
    ready = wanted.environment()
    try:
        environment = run.provide(wanted, environ)
        run.remember(wanted, environment)
    except Interrupted:
        raise
    except ScriptrunError as error:
        return of_error("environment", error)
    return Finding(OK, "environment", f"{environment.path}, {'ready' if environment == ready else 'prepared now'}")


def _of_cron(invocation: Invocation, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what there is to say of the script in cron: it is prepared here first, if it is this user's."""
    who = surroundings.account(invocation.extra.get("--user", ""))
    script = os.path.abspath(invocation.arguments[0]) if invocation.arguments else ""
    line = table.find(script, who, environ) if script else None
    place = there.Place(
        surroundings.of_cron(who, line.variables if line else {}),
        job.program(environ),
        line,
    )
    if script and who.uid == os.geteuid():
        asked = request.read(arguments.script(script, invocation.options), environ)
        wanted = _wanted(asked, environ)
        here = wanted if isinstance(wanted, Finding) else _prepared(wanted, environ)
        if here.level != OK:
            yield Finding(NOTE, "here", here.message, here.remedy)
    words = [*arguments.words(_given(invocation.options)), *([script] if script else [])]
    yield from there.findings(place, environ, words)


def _given(options: Options) -> Options:
    """Return the options that stand on the command line: a variable is one thing here and another in cron."""
    return Options({name: value for name, value in options.given() if name not in options.places()})


def _text(finding: Finding) -> str:
    lines = [f"{finding.level:<8} {finding.subject:<14} {finding.message}"]
    lines += [f"{'':<23} {line}" for line in finding.remedy.split("\n") if line]
    return "".join(escape(without_credentials(line)) + "\n" for line in lines)
