"""`scriptrun cron SCRIPT`: a line of a crontab that runs a script; put into the user's own table, or taken out."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from scriptrun import config, location, output, paths, process, sharing, signals
from scriptrun.arguments import Invocation
from scriptrun.errors import EditError, UsageError, escape
from scriptrun.jobs import crontab, job, schedule
from scriptrun.jobs.job import Job
from scriptrun.jobs.schedule import Schedule

_USAGE = 'scriptrun cron SCRIPT [ARG...] --schedule "*/5 * * * *" [--install | --user NAME], or SCRIPT --remove'

_NO_TABLE = "no crontab for"
"""What `crontab -l` says where there is no table, with the same status as where it may not be used."""


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the block of a job, or change the user's crontab. Raises ScriptrunError."""
    extra = invocation.extra
    changes = extra.keys() & {"--install", "--remove", "--user"}
    if not invocation.arguments or len(changes) > 1 or ("--schedule" in extra) == ("--remove" in extra):
        raise UsageError("`scriptrun cron` takes a script, and when to run it", hint=_USAGE)
    quiet = invocation.options.flag("quiet")
    if "--remove" in extra:
        return _remove(paths.absolute(invocation.arguments[0]), environ, quiet=quiet)
    wanted = job.read(invocation, environ)
    times = schedule.read(extra["--schedule"])
    owner = _owner(extra.get("--user", ""))
    if owner.pw_uid != os.geteuid():  # they have directories of their own
        kept = {name: value for name, value in wanted.variables.items() if name.startswith("SCRIPTRUN_")}
        wanted = replace(wanted, variables=kept)
    when = f"{times.text} {owner.pw_name}" if "--user" in extra else times.text
    lines = crontab.block(wanted, when, list(_assumptions(wanted, owner)))
    for note in () if quiet else _notes(wanted, times, owner, environ):
        output.note(note)
    if "--install" in extra:
        return _install(wanted.script, lines, environ, quiet=quiet)
    output.give("".join(f"{os.fsdecode(line)}\n" for line in lines))
    return 0


def _owner(name: str) -> pwd.struct_passwd:
    """Return the user called `name`, by default the one who asks. Raises UsageError."""
    try:
        return pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    except KeyError:
        shown = f"`{name}`" if name else f"with the number {os.geteuid()}"
        raise UsageError(f"there is no user {shown}, and cron runs jobs of users only") from None


def _assumptions(wanted: Job, owner: pwd.struct_passwd) -> Iterator[str]:
    """Yield the lines that say what a job will find."""
    yield f"Runs as {owner.pw_name} in {escape(owner.pw_dir)}, by /bin/sh, with PATH=/usr/bin:/bin and no terminal;"
    yield f"output is mailed to {owner.pw_name}. SHELL=, PATH=, HOME= and MAILTO= above this change that."
    cache = location.cache_directory({**wanted.variables, "HOME": owner.pw_dir})
    system, _ = location.system_cache(wanted.variables)
    before = f"It looks into the system's cache {escape(system)} first. " if system and system != cache else ""
    yield f"{before}Its cache is {escape(cache) if cache else 'a temporary directory, as there is no home'}."


def _notes(wanted: Job, times: Schedule, owner: pwd.struct_passwd, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is different here from what the job will find, and what may surprise."""
    lost = ", ".join(job.left_behind(environ))
    if lost:
        yield f"set here and not in cron: {lost}; write into pip.conf what they say, or into the crontab, above the job"
    home = environ.get("HOME", "")
    if owner.pw_uid == os.geteuid() and home != owner.pw_dir:
        yield f"HOME is `{home}` here and `{owner.pw_dir}` in cron, where cache and configuration are others"
    idle = config.read(environ).max_idle / 86400
    if times.pause > idle:
        yield (
            f"the job may rest for longer than the {idle:g} days after which an unused environment is removed, "
            "and is then prepared again; `max-idle` in config.toml changes that"
        )
    if owner.pw_uid != os.geteuid():
        for path in (wanted.program, sys.executable, os.path.dirname(wanted.script)):
            obstacle = sharing.out_of_reach(path)
            if obstacle:
                yield f"`{obstacle}` may keep {owner.pw_name} from using `{path}`; put it where everybody can read it"


def _install(script: str, lines: list[bytes], environ: Mapping[str, str], *, quiet: bool) -> int:
    with _alone():
        before = _read(environ)
        after = crontab.put(before or b"", script, lines)
        if after != before:
            _write(after, environ)
    if not quiet:
        output.note(f"{'as it was in' if after == before else 'put into'} your crontab: {script}")
    return 0


def _remove(script: str, environ: Mapping[str, str], *, quiet: bool) -> int:
    with _alone():
        before = _read(environ) or b""
        after = crontab.take(before, script)
        if after != before:
            _write(after, environ)
    if not quiet:
        output.note(f"{'not in' if after == before else 'taken out of'} your crontab: {script}")
    return 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let no other scriptrun of this user read the crontab before this one has written it, nor a signal in between."""
    import fcntl

    with signals.interruptible("changing the table"), contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # no home, or one that cannot be locked
            descriptor = os.open(_owner("").pw_dir, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            with signals.waiting():
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _read(environ: Mapping[str, str]) -> bytes | None:
    """Return the user's crontab, None where there is none. Raises EditError."""
    finished = _crontab("-l", environ=environ)
    if finished.status and _NO_TABLE in finished.complaints:
        return None
    if not finished.status and b"\\" in finished.output:
        # Debian's `crontab -l` writes a carriage return as `\r`; what an editor gets is the table as it is.
        finished = _crontab("-e", environ={**environ, "VISUAL": "cat"})
    if finished.status:
        raise EditError("`crontab -l` failed; nothing was changed", details=finished.complaints.strip())
    return finished.output


def _write(table: bytes, environ: Mapping[str, str]) -> None:
    """Make `table` the user's crontab; an empty one is none. Raises EditError."""
    finished = _crontab("-", environ=environ, given=table) if table else _crontab("-r", environ=environ)
    if finished.status:
        raise EditError(
            "`crontab` refuses the new table; the old one is still there", details=finished.complaints.strip()
        )
    if (_read(environ) or b"") != table:
        raise EditError(
            "the crontab is not what was written to it", hint="look at `crontab -l`: another program changes it"
        )


def _crontab(word: str, *, environ: Mapping[str, str], given: bytes = b"") -> process.Exchanged:
    """Run the program `crontab`. Raises EditError where there is none."""
    program = shutil.which("crontab", path=environ.get("PATH", os.defpath))
    if program is None:
        raise EditError("there is no program `crontab`", hint="install cron: on Debian, apt-get install cron")
    return process.exchange((program, word), {**environ, "LC_ALL": "C"}, given)
