"""Run a program: make its environment where it is not known to be ready, then become it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from scriptrun import launch, output, prepare, process, resolve
from scriptrun.arguments import Invocation
from scriptrun.cache import Environment
from scriptrun.cli import explain, isolated
from scriptrun.cli.progress import Progress
from scriptrun.errors import InstallError, without_credentials
from scriptrun.pip import Order
from scriptrun.request import Request
from scriptrun.resolve import Wanted


def run(request: Request, environ: Mapping[str, str]) -> int:
    """Do what `request` asks for; return only where nothing is run. Raises ScriptrunError."""
    if request.invocation.options.flag("explain"):
        return explain.main(request, environ)
    with process.interruptible():
        wanted = resolve.resolve(request, environ)
        warn(wanted)
        if wanted.options.flag("isolated") and not wanted.options.flag("offline"):
            environment = isolated.provide(wanted, environ)
        else:
            environment = _provide(wanted, environ)
        if wanted.keepable:
            launch.remember(request.cache, request.question, environment.path, wanted.standing)
    return request.become(environment.path, environ, provable=wanted.provable)


def _provide(wanted: Wanted, environ: Mapping[str, str]) -> Environment:
    """Return the environment that is wanted, from the cache or made now."""
    options = wanted.options
    environment = None if options.flag("isolated") else wanted.environment()
    if environment is not None and not options.flag("refresh"):
        return environment
    if options.flag("offline"):
        raise not_ready(wanted)
    _tell_of_lost_python(wanted)
    with Progress(options) as progress:
        order = Order(wanted.spec, wanted.asked, options, environ, progress.show)
        return prepare.prepare(wanted.request.cache, order)


def warn(wanted: Wanted) -> None:
    """Write the block's warnings, unless asked to be quiet."""
    if not wanted.options.flag("quiet"):
        for warning in wanted.script.warnings:
            output.warn(warning.message, warning.remedy, warning.place)


def not_ready(wanted: Wanted) -> InstallError:
    """Return the error for an environment that would have to be prepared, which --offline forbids."""
    return InstallError(
        "the environment is not ready, and --offline forbids to prepare it",
        place=wanted.request.name,
        hint=f"when online, run: SCRIPTRUN_OFFLINE=0 {_command_line(wanted.request.invocation)}",
    )


def _command_line(invocation: Invocation) -> str:
    """Return the command line for `invocation`, without --offline, without credentials, and without its arguments."""
    words = ["scriptrun"]
    for name, value in invocation.options.given():
        if value is True and name != "offline":
            words.append(f"--{name}")
        for one in (value,) if isinstance(value, str) else invocation.options.many(name):
            words += [f"--{name}", without_credentials(one)]
    words += {"module": ["-m"], "code": ["-c"], "repl": ["-i"]}.get(invocation.action, [])
    return shlex.join([*words, invocation.target] if invocation.target else words)


def _tell_of_lost_python(wanted: Wanted) -> None:
    """Say so where the script ran before on a base interpreter that is not there any more."""
    base = launch.lost_base(wanted.request.cache, wanted.request.question)
    if base and not wanted.options.flag("quiet"):
        output.note(f"`{base}`, which the script ran on, has gone; preparing it for {wanted.choice.interpreter}")
