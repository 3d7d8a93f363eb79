"""`scriptrun export SCRIPT`: what a script would be installed with, for other tools. Nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from scriptrun import arguments, markers, output, request, resolve, signals
from scriptrun.arguments import Invocation
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.errors import UsageError
from scriptrun.pinning import making, pins, pylock
from scriptrun.pinning.pylock import Lock

FORMATS = ("requirements", "pylock")


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the lock of a script, or what it would be, in the format that is asked for. Raises ScriptrunError."""
    wanted = invocation.extra.get("--format", FORMATS[0])
    if len(invocation.arguments) != 1:
        raise UsageError("`scriptrun export` takes one script", hint="scriptrun export SCRIPT [--format FORMAT]")
    if wanted not in FORMATS:
        raise UsageError(f"`--format` is `{wanted}`", hint=f"there are: {', '.join(FORMATS)}")
    script = arguments.script(invocation.arguments[0], invocation.options)
    with signals.interruptible():
        lock, facts = _lock(script, environ)
    output.give(lock.text if wanted == "pylock" else "".join(f"{line}\n" for line in _lines(lock, facts)))
    return 0


def _lock(script: Invocation, environ: Mapping[str, str]) -> tuple[Lock, dict[str, str]]:
    """Return the lock of a script, or one that is made now, and what markers in it are judged by."""
    asked = request.read(script, environ)
    wanted = resolve.resolve(asked, environ)
    run.warn(wanted)
    facts = markers.environment(wanted.spec.interpreter)
    if wanted.lock is not None:
        return wanted.lock, facts
    wanted = making.choose(asked, environ, None)
    with Progress(wanted.options) as progress:
        text = making.text(wanted, environ, None, progress.show, lambda: None)
        lock = pylock.parse(text.encode("ascii"), asked.name, os.path.abspath(asked.directory))
        progress.resolved(len(lock.packages))
    return lock, facts


def _lines(lock: Lock, facts: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a requirements file."""
    yield f"# made by scriptrun, for {lock.target}"
    for pin in pins.read(lock, facts):
        if not pin.hashes:
            yield f"# pip knows no hash of what is not a file, so --require-hashes refuses {pin.name}"
        yield pin.line.replace(" --hash=", " \\\n    --hash=")
