"""`scriptrun doctor [SCRIPT]`: what keeps a script from running, here or, with `--cron`, where cron runs it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, replace

from scriptrun import arguments, errors, location, output, refusals, request, resolve, signals
from scriptrun.arguments import Invocation, Options
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.doctor import cron, crontabs, index, installation, storage, surroundings
from scriptrun.doctor import script as scripts
from scriptrun.doctor.crontabs import Line
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding, of_error
from scriptrun.errors import CacheError, Interrupted, ScriptrunError, UsageError
from scriptrun.jobs import job
from scriptrun.resolve import Wanted

_FORM = "scriptrun doctor [SCRIPT] [--cron] [--user NAME] [--json]"

_TO_BLAME = (
    (errors.MetadataError, "block"),
    (errors.ConfigurationError, "configuration"),
    (errors.PolicyError, "policy"),
    (errors.InterpreterError, "python"),
    (errors.LockError, "lock"),
)
"""What some failures are about."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print what is found, one finding a line with its remedy below, or with `--json` an array of objects.

    The status is 1 if there is a problem. Raises ScriptrunError for what it is not about: a script that is not there.
    """
    if len(invocation.arguments) > 1:
        raise UsageError("`scriptrun doctor` takes one script at most", hint=_FORM)
    if "--user" in invocation.extra and "--cron" not in invocation.extra:
        raise UsageError("`--user` goes with `--cron`", hint=_FORM)
    for path in invocation.arguments:
        job.require(path)
    with signals.interruptible("looking for what is missing"):
        found = list(_of_cron(invocation, environ) if "--cron" in invocation.extra else _here(invocation, environ))
    clean = [Finding(*map(errors.without_credentials, astuple(one))) for one in found]
    as_json = "--json" in invocation.extra
    output.give(json.dumps(list(map(asdict, clean)), indent=2) + "\n" if as_json else "".join(map(_text, clean)))
    return int(any(one.level == PROBLEM for one in found))


def _here(invocation: Invocation, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what there is to say of scriptrun, and of the script, in this environment."""
    program = job.program(environ)
    yield from installation.findings(environ, program)
    try:
        caches = location.find(environ)
    except CacheError as error:  # nothing else can be done without
        yield of_error("cache", error)
        return
    yield from storage.findings(caches)
    if invocation.arguments:
        yield from _script(invocation, environ, program)
    else:
        yield installation.pythons(environ, caches.own)
        yield _tried("index", lambda: index.of_machine(invocation.options, environ))


def _script(invocation: Invocation, environ: Mapping[str, str], program: str) -> Iterator[Finding]:
    """Yield what there is to say of the script, which is prepared for that. Raises ScriptrunError."""
    (path,) = invocation.arguments
    asked = request.read(arguments.script(path, invocation.options), environ)
    if asked.source is not None:
        yield from scripts.first_line(asked.source)
    try:
        wanted = resolve.resolve(asked, environ)
    except ScriptrunError as error:
        yield _failed("script", error)
        return
    yield from scripts.chosen(wanted)
    prepared = _tried("environment", lambda: _prepared(wanted, environ))
    yield prepared
    if wanted.asked:
        yield _tried("index", lambda: index.of_script(wanted, environ, ready=prepared.level == OK))
    if prepared.level == OK:
        yield scripts.start(program, path, _given(invocation.options), environ)


def _prepared(wanted: Wanted, environ: Mapping[str, str]) -> Finding:
    """Return the environment of the script, prepared now unless it is ready. Raises ScriptrunError."""
    ready = wanted.environment()
    environment = run.provide(wanted, environ, Progress(wanted.options))
    run.remember(wanted, environment)
    return Finding(OK, "environment", f"{environment.path}, {'ready' if environment == ready else 'prepared now'}")


def _of_cron(invocation: Invocation, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what there is to say of the script in cron, for each line that starts it, with the line's own options.

    It is prepared here first, if it is this user's.
    """
    who = surroundings.account(invocation.extra.get("--user", ""))
    script = job.absolute(invocation.arguments[0]) if invocation.arguments else ""
    given = tuple(arguments.words(_given(invocation.options)))
    lines: Sequence[Line | None] = crontabs.find(script, who, environ) if script else []
    for line in lines or [None]:
        options = line.options if line and line.program else given
        if script and who.is_own:
            here = _tried("here", functools.partial(_prepared_here, script, options, environ))
            yield replace(here, subject="here", level=OK if here.level == OK else NOTE)
        there = surroundings.of_cron(who, *((line.variables, line.leading) if line else ({}, {})))
        yield from cron.findings(cron.Place(there, job.program(environ), line, script), environ, options)


def _prepared_here(script: str, words: Sequence[str], environ: Mapping[str, str]) -> Finding:
    """Return the environment of a script, prepared as the user's own shell would. Raises ScriptrunError."""
    asked = arguments.parse([*words, script], environ)
    return _prepared(resolve.resolve(request.read(asked, environ), environ), environ)


def _tried(subject: str, work: Callable[[], Finding]) -> Finding:
    """Return what comes of `work`, also where it fails. Raises Interrupted."""
    try:
        return work()
    except ScriptrunError as error:
        return _failed(subject, error)
    except OSError as error:
        return _failed(subject, refusals.explain("the operating system refused something", error))


def _failed(subject: str, error: ScriptrunError) -> Finding:
    """Return the finding that a failure is, about what is to blame where its kind tells that. Raises Interrupted."""
    if isinstance(error, Interrupted):
        raise error
    return of_error(next((name for kind, name in _TO_BLAME if isinstance(error, kind)), subject), error)


def _given(options: Options) -> Options:
    """Return the options that stand on the command line: a variable is one thing here and another in cron."""
    return Options({name: value for name, value in options.given() if name not in options.places()})


def _text(finding: Finding) -> str:
    lines = [f"{finding.level:<8} {finding.subject:<14} {finding.message}"]
    lines += [f"{'':<23} {line}" for line in finding.remedy.split("\n") if line]
    return "".join(errors.escape(line) + "\n" for line in lines)
