"""`scriptrun cron SCRIPT`: a line of a crontab that runs a script; put into the user's own table, or taken out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from scriptrun import config, location, output
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError, escape
from scriptrun.jobs import account, crontab, job, obstacles, schedule, tables
from scriptrun.jobs.account import PATH, SHELL, Account
from scriptrun.jobs.job import Job
from scriptrun.jobs.schedule import Schedule

_USAGE = 'scriptrun cron SCRIPT [ARG...] --schedule "*/5 * * * *" [--install | --user NAME], or SCRIPT --remove'


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the block of a job, or change the user's crontab. Raises ScriptrunError."""
    extra = invocation.extra
    changes = extra.keys() & {"--install", "--remove", "--user"}
    if not invocation.arguments or len(changes) > 1 or ("--schedule" in extra) == ("--remove" in extra):
        raise UsageError("`scriptrun cron` takes a script, and when to run it", hint=_USAGE)
    quiet = invocation.options.flag("quiet")
    if "--remove" in extra:
        return _remove(job.absolute(invocation.arguments[0]), environ, quiet=quiet)
    wanted = job.read(invocation, environ)
    times = schedule.read(extra["--schedule"])
    owner = account.find(extra.get("--user", ""))
    if not owner.is_own:
        wanted = wanted.for_others()
    when = f"{times.text} {owner.name}" if "--user" in extra else times.text
    lines = crontab.block(wanted, when, list(_assumptions(wanted, owner)))
    for note in () if quiet else _notes(wanted, times, owner, environ):
        output.note(note)
    if "--install" in extra:
        return _install(wanted.script, lines, environ, quiet=quiet)
    output.give("".join(f"{os.fsdecode(line)}\n" for line in lines))
    return 0


def _assumptions(wanted: Job, owner: Account) -> Iterator[str]:
    """Yield the lines that say what a job will find."""
    yield f"Runs as {owner.name} in {escape(owner.home)}, by {SHELL}, with PATH={PATH} and no terminal;"
    yield f"output is mailed to {owner.name}. SHELL=, PATH=, HOME= and MAILTO= above this change that."
    cache = location.cache_directory({**wanted.variables, "HOME": owner.home})
    system, _ = location.system_cache(wanted.variables)
    before = f"It looks into the system's cache {escape(system)} first. " if system and system != cache else ""
    yield f"{before}Its cache is {escape(cache) if cache else 'a temporary directory, as there is no home'}."


def _notes(wanted: Job, times: Schedule, owner: Account, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is different here from what the job will find, and what may surprise."""
    lost = ", ".join(job.left_behind(environ))
    if lost:
        yield f"set here, and not in cron: {lost}; write it into pip.conf, or into the crontab, above the job"
    home = environ.get("HOME", "")
    if owner.is_own and home != owner.home:
        yield f"HOME is `{home}` here and `{owner.home}` in cron, where cache and configuration are others"
    idle = config.read(environ).max_idle / 86400
    if times.pause > idle:
        yield (
            f"the job may rest for longer than the {idle:g} days after which an unused environment is removed, "
            "and is then prepared again; `max-idle` in config.toml changes that"
        )
    if not owner.is_own:
        needs = (*obstacles.files(wanted), *obstacles.installation(wanted.program))
        for need, barrier in obstacles.barriers(needs, owner.uid):
            yield f"`{barrier}` may keep {owner.name} from using `{need.path}`; put it where everybody can read it"


def _install(script: str, lines: list[bytes], environ: Mapping[str, str], *, quiet: bool) -> int:
    after, before = _change(environ, lambda table: crontab.put(table, script, lines))
    if not quiet:
        output.note(f"{'as it was in' if after == before else 'put into'} your crontab: {script}")
    return 0


def _remove(script: str, environ: Mapping[str, str], *, quiet: bool) -> int:
    after, before = _change(environ, lambda table: crontab.take(table, script))
    if not quiet:
        output.note(f"{'not in' if after == before else 'taken out of'} your crontab: {script}")
    return 0


def _change(environ: Mapping[str, str], change: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """Change the user's crontab, unless it is the same afterwards, and return what it is and what it was."""
    owner = account.find("")
    with tables.alone(owner):
        before = tables.read(owner, environ) or b""
        after = change(before)
        if after != before:
            tables.write(owner, after, environ)
    return after, before
