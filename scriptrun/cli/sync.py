"""`scriptrun sync SCRIPT…`: prepare environments without running anything, for oneself or for everybody.

All that is in them is byte-compiled, as who runs a script may not be able to write. `--venv-link` keeps a link `.venv`
beside each script, for editors.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Mapping

from scriptrun import arguments, bytecode, output, paths, request, resolve, sharing, signals, venv_link
from scriptrun.arguments import Invocation
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.errors import CacheError, Interrupted, ScriptrunError, UsageError
from scriptrun.resolve import Wanted

_FORM = "scriptrun sync SCRIPT… [--system] [--venv-link]"


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the environment of each script, made if need be. Raises UsageError, CacheError and Interrupted.

    What fails is told on stderr, and the others are prepared all the same; the status is that of the last failure.
    """
    if not invocation.arguments:
        raise UsageError("`scriptrun sync` takes a script or several", hint=_FORM)
    if invocation.options.flag("isolated"):
        raise UsageError("`scriptrun sync` prepares what is kept, which --isolated does not")
    system = ""
    if "--system" in invocation.extra:
        system = sharing.open_system_cache(environ.get("SCRIPTRUN_SYSTEM_CACHE") or paths.SYSTEM_CACHE)
        environ = {**environ, "SCRIPTRUN_CACHE_DIR": system, "SCRIPTRUN_SYSTEM_CACHE": ""}
    status = 0
    for script in invocation.arguments:
        try:
            output.give(f"{_sync(arguments.script(script, invocation.options), environ, system, invocation.extra)}\n")
        except Interrupted:
            raise
        except ScriptrunError as error:
            output.tell(error.render())
            status = error.status
    return status


def _sync(script: Invocation, environ: Mapping[str, str], system: str, extra: Collection[str]) -> str:
    """Prepare the environment of one script, in the system's cache if that is given, and return its path."""
    with signals.interruptible():
        wanted = resolve.resolve(request.read(script, environ), environ)
        run.warn(wanted)
        environment = run.provide(wanted, environ, Progress(wanted.options))
        run.remember(wanted, environment)
        if os.access(environment.path, os.W_OK):  # else it is the system's, and was compiled when that was made
            bytecode.compile_all(environment.path, environ)
        if system:
            _share(wanted, environment.path, system)
        if "--venv-link" in extra:
            _link(wanted, environment.path)
    return environment.path


def _link(wanted: Wanted, environment: str) -> None:
    """Keep a link to the environment beside the script, and say so where it led to another one."""
    request = wanted.request
    if request.source is None or not request.source.file or request.source.is_copy:
        raise UsageError(f"`{request.name}` is in no directory where a `.venv` could be", hint="save it to a file")
    before = venv_link.point(os.path.dirname(os.path.realpath(request.source.file)), environment)
    if before and not wanted.options.flag("quiet"):
        output.note(f"`.venv` is for {request.name} now; it led to another environment, `{before}`")


def _share(wanted: Wanted, environment: str, system: str) -> None:
    python = wanted.spec.interpreter.path
    try:
        barrier = sharing.out_of_reach(python)
        if barrier and not wanted.options.flag("quiet"):
            message = f"it runs on `{python}`, which others cannot: `{barrier}` is closed to them"
            output.warn(message, "choose another with --python", wanted.request.name)
        sharing.open_to_readers(system, environment)
        answer = paths.answer(system, zlib.crc32(wanted.request.question))
        if wanted.keepable and os.path.exists(answer):
            sharing.open_answer(answer)
    except OSError as error:
        raise CacheError(f"`{error.filename}` cannot be opened to all: {error.strerror}") from None
