"""Look at one script: how it is started, and whether its environment's Python really starts."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping

from scriptrun import arguments, launch, layout, process
from scriptrun.arguments import Options
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding
from scriptrun.jobs import job
from scriptrun.lint import launching
from scriptrun.resolve import Wanted
from scriptrun.source import Source

STARTING = 60.0
"""How many seconds a start may take."""

LAUNCHING = "first line"
"""What findings are about that matter only where the script is started by itself, and not as `scriptrun SCRIPT`."""

_LEVELS = {"SR404": PROBLEM, "SR405": PROBLEM}

_CODE = "import sys; print('Python', sys.version.split()[0], 'in', sys.prefix)"


def first_line(source: Source) -> Iterator[Finding]:
    """Yield what keeps the script from being started by itself; all is well if nothing does."""
    found = list(_obstacles(source))
    yield from found
    if not found:
        started = launching.program(source.content)
        yield Finding(OK, LAUNCHING, f"it can be started by itself, by `{started}`" if started else "none")


def _obstacles(source: Source) -> Iterator[Finding]:
    """Yield what is wrong with a first line and a mode, and with where the script is."""
    for one in launching.findings(source.content, source.name, source.file, None):
        remedy = one.remedy.replace("FILE", shlex.quote(arguments.word(source.name)))
        yield Finding(_LEVELS.get(one.code, NOTE), LAUNCHING, one.message, remedy)
    if not launching.is_ours(source.content):
        return
    program = source.content[2:].split(None, 1)[0]
    if program.startswith(b"/") and not os.path.exists(program):
        named = os.fsdecode(program)
        yield Finding(PROBLEM, LAUNCHING, f"it names `{named}`, which is not there", launching.WRITE)
    if layout.is_noexec(source.file):
        message = "the script is on a file system that is mounted `noexec`: it cannot be started by itself"
        yield Finding(PROBLEM, LAUNCHING, message, f"start it as: scriptrun {shlex.quote(arguments.word(source.name))}")


def chosen(wanted: Wanted) -> Iterator[Finding]:
    """Yield which Python a script gets, which one it has lost, and which lock counts."""
    yield Finding(OK, "python", f"{wanted.choice.interpreter}: {wanted.choice.reason}")
    base = launch.lost_base(wanted.request.caches.own, wanted.request.question)
    if base and wanted.environment() is None:
        yield Finding(NOTE, "python", f"`{base}`, which it ran on, has gone: it is prepared for the one above")
    if wanted.lock is not None:
        yield Finding(OK, "lock", f"{wanted.lock.file}, for {wanted.lock.target}")


def start(program: str, script: str, options: Options, environ: Mapping[str, str]) -> Finding:
    """Return whether a shell can start scriptrun, and scriptrun the Python of the script's environment, offline."""
    words = [program, *arguments.words(options), "--quiet", "--offline", "--script", job.absolute(script)]
    command = ["/bin/sh", "-c", f"exec {shlex.join([*words, '-c', _CODE])}"]
    try:
        finished = process.run(command, environment=environ, directory=os.sep, timeout=STARTING)
    except process.TimeoutExpired:
        return Finding(PROBLEM, "start", f"its Python does not start within {STARTING:.0f} seconds")
    if finished.status == 0:
        return Finding(OK, "start", finished.output.strip())
    message = finished.output.strip().replace("\n", "; ") or f"status {finished.status}, and no message"
    return Finding(PROBLEM, "start", f"its Python does not start: {message}")
