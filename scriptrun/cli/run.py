"""Run a program: make its environment where it is not known to be ready, then become it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scriptrun import arguments, attendant, expiry, launch, output, overlap, patience, prepare, resolve, signals, supply
from scriptrun.arguments import Invocation
from scriptrun.cache import Environment, WaitedInVain
from scriptrun.cli import progress
from scriptrun.cli.progress import Progress
from scriptrun.errors import CacheError, InstallError, ScriptrunError, UsageError, without_credentials
from scriptrun.launch import Answer
from scriptrun.request import Request
from scriptrun.resolve import Wanted
from scriptrun.upkeep import daily

if TYPE_CHECKING:
    from scriptrun.pip_messages import Offline


def run(request: Request, environ: Mapping[str, str]) -> int:
    """Do what `request` asks for; return only where nothing is run. Raises ScriptrunError."""
    if request.invocation.options.flag("explain"):
        from scriptrun.cli import explain  # rare

        request.tell()
        return explain.main(request, environ)
    with signals.interruptible(), progress.window(request.name, environ) as sink:
        try:
            wanted = resolve.resolve(request, environ)
            status = _enter(wanted)
        except ScriptrunError:
            request.tell()
            raise
        if status is not None:
            return status
        request.tell()
        warn(wanted)
        ready, shown = wanted.environment(), Progress(wanted.options, sink)
        if wanted.options.flag("isolated") and not wanted.options.flag("offline"):
            from scriptrun.cli import isolated  # rare

            _tell_of_cache(wanted)
            environment = isolated.provide(wanted, environ, shown)
        else:
            environment = _claimed(wanted, environ, shown)
        answer = remember(wanted, environment)
    attends = attendant.find(environ)
    if attends is not None:
        attends.begun()
    if environment != ready and request.caches.own:
        daily.see_to(request.caches.own, wanted.configuration)
    return request.become(answer, environ)


def _enter(wanted: Wanted) -> int | None:
    """Return None if the program may run now, else the exit status: it runs already, and that is not to be twice.

    The configuration is for all programs, also for those that it cannot be kept for; a block only for its own. Raises
    UsageError where somebody asks for more.
    """
    if wanted.overlap is not None:
        return overlap.enter(wanted.request, wanted.overlap)
    invocation = wanted.request.invocation
    if invocation.action in ("script", "stdin"):
        asked = invocation.options.below(wanted.script.options)
    else:
        asked = invocation.options
    if asked.flag("no-overlap") and not wanted.request.identity:
        raise UsageError(
            f"`{asked.place('no-overlap')}` is for a script at a path or a URL: of others nobody knows what runs",
            hint="save it as a file",
        )
    return None


def remember(wanted: Wanted, environment: Environment) -> Answer:
    """Return `environment` as the answer to what was asked, and remember it where it may be."""
    due = expiry.mark(environment, wanted.max_age) if wanted.max_age else ""
    lasting = bool(due) or not wanted.max_age
    files = wanted.options.many("env-file")
    answer = Answer(
        environment.path, due, provable=wanted.provable and lasting, env_files=files, overlap=wanted.overlap
    )
    if wanted.keepable and lasting and wanted.request.caches.own:
        launch.remember(wanted.request.caches.own, wanted.request.question, answer, wanted.standing)
    return answer


def _claimed(wanted: Wanted, environ: Mapping[str, str], shown: Progress) -> Environment:
    """Return the environment that is wanted, claimed: nobody removes it before this process has become the script."""
    for _ in range(100):
        environment = provide(wanted, environ, shown)
        if launch.claim(environment.path):
            return environment
    raise CacheError(f"`{environment.path}` is removed again and again", hint="is `scriptrun cache clear` in a loop?")


def provide(wanted: Wanted, environ: Mapping[str, str], shown: Progress) -> Environment:
    """Return the environment that is wanted, from the cache or made now, which `shown` shows. Raises ScriptrunError."""
    options = wanted.options
    environment = None if options.flag("isolated") else wanted.environment()
    if environment is not None and not options.flag("refresh"):
        if options.flag("offline") or not expiry.is_due(environment, wanted.max_age):
            return environment
        try:
            return _prepare(wanted, environ, shown)
        except WaitedInVain:  # who asked pip warns, and has put off the next time
            return environment
        except (InstallError, CacheError) as error:
            if not options.flag("quiet"):
                output.warn(
                    f"pip was to be asked again, as its answer is older than {options.value('max-age')}, "
                    f"but: {error.message}",
                    "going on with the old one",
                    error.place or wanted.request.name,
                )
            return environment
    if options.flag("offline"):
        return _without_pip(wanted, environ, shown)
    _tell_of_lost_python(wanted)
    if environment is None and not options.flag("quiet"):
        progress.announce(wanted.request.name, environ)
    return _prepare(wanted, environ, shown)


def _without_pip(wanted: Wanted, environ: Mapping[str, str], shown: Progress) -> Environment:
    """Return the environment that is wanted from the user's cache, where it may be about to be built or removed.

    Where there is none, it is put together from what is kept.
    """
    own, options = wanted.request.caches.own, wanted.options
    if own and not (options.flag("refresh") or options.flag("isolated")):
        with shown, contextlib.suppress(CacheError):
            environment = prepare.find(own, wanted.spec.key, shown.show, patience.limit(options))
            if environment is not None:
                return environment
        with contextlib.suppress(InstallError, CacheError):
            if supply.find(own, wanted.order(environ, shown.show)).distributions is not None:
                return _prepare(wanted, environ, shown)
    raise not_ready(wanted)


def _prepare(wanted: Wanted, environ: Mapping[str, str], shown: Progress) -> Environment:
    """Return the environment that is wanted, from pip unless another run has made it meanwhile."""
    _tell_of_cache(wanted)
    cache = wanted.request.caches.writable()
    with shown:
        return prepare.prepare(cache, wanted.order(environ, shown.show, shown.prepared))


def _tell_of_cache(wanted: Wanted) -> None:
    """Say what is to be known of the place that an environment is built in; who uses one that is ready hears nothing.

    A job that said it at each run would send a mail each time.
    """
    if wanted.request.caches.note and not wanted.options.flag("quiet"):
        output.note(wanted.request.caches.note)


def warn(wanted: Wanted) -> None:
    """Write the warnings about block and configuration, unless asked to be quiet; a block asks for itself alone."""
    outside = wanted.request.invocation.options.below(wanted.configuration.options)
    for warnings, options in (wanted.script.warnings, wanted.options), (wanted.configuration.warnings, outside):
        for warning in () if options.flag("quiet") else warnings:
            output.warn(warning.message, warning.remedy, warning.place)


def not_ready(wanted: Wanted) -> Offline:
    """Return the error for an environment that would have to be prepared, which --offline forbids."""
    from scriptrun.pip_messages import Offline  # only on the way to an error, as all that explains pip

    return Offline(
        "the environment is not ready, and --offline forbids to prepare it",
        place=wanted.request.name,
        hint=f"when online, run: SCRIPTRUN_OFFLINE=0 {_command_line(wanted.request.invocation)}",
    )


def _command_line(invocation: Invocation) -> str:
    """Return the command line for `invocation`, without --offline, without credentials, and without its arguments."""
    import shlex  # only on the way to an error

    asked = [without_credentials(word) for word in arguments.words(invocation.options) if word != "--offline"]
    words = ["scriptrun", *asked]
    words += {"module": ["-m"], "code": ["-c"], "repl": ["-i"]}.get(invocation.action, [])
    return shlex.join([*words, invocation.target] if invocation.target else words)


def _tell_of_lost_python(wanted: Wanted) -> None:
    """Say so where the script ran before on a base interpreter that is not there any more."""
    base = launch.lost_base(wanted.request.caches.own, wanted.request.question)
    if base and not wanted.options.flag("quiet"):
        output.note(f"`{base}`, which the script ran on, has gone; preparing it for {wanted.choice.interpreter}")
