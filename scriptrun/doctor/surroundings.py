"""What cron gives to a job: who runs it, where, with which variables, and how; and running a command just so.

As Debian's cron was seen to do it: of its own environment nothing is left. PAM adds what is in two files, but HOME,
PATH, SHELL and LOGNAME are cron's own, then come the lines of the table. The directory is HOME, where there is one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scriptrun import process
from scriptrun.errors import UsageError
from scriptrun.process import Finished

PATH = "/usr/bin:/bin"
"""The PATH of a job, unless a line of its table sets another."""

_OF_PAM = ("/etc/environment", "/etc/default/locale")
"""The files with variables that `/etc/pam.d/cron` names."""

_BECOME = """\
import json, os
told = json.loads(os.environ["SCRIPTRUN_TOLD"])
os.closerange(3, 65536)
if os.geteuid() == 0:
    os.initgroups(told["name"], told["gid"])
    os.setgid(told["gid"])
    os.setuid(told["uid"])
os.umask(0o022)
for directory in (told["variables"]["HOME"], "/var/spool/cron", "/"):
    try:
        os.chdir(directory)
        break
    except OSError:
        pass
shell = told["variables"]["SHELL"]
os.execve(shell, [shell, "-c", told["command"]], told["variables"])
"""
"""Become a job, as cron does. What it is told stands in a variable, which nobody else can read."""


@dataclass(frozen=True)
class Account:
    """A user of this machine, from its list of users."""

    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True)
class Surroundings:
    """What a job gets: whose it is, and its variables."""

    account: Account
    variables: Mapping[str, str]


def account(name: str) -> Account:
    """Return the user of that name, `""`: who runs this. Raises UsageError where there is none, or one cannot be."""
    import pwd  # not on Windows

    try:
        found = pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    except KeyError:
        who = f"`{name}`" if name else f"number {os.geteuid()}"
        raise UsageError(f"this machine knows no user {who}", hint="cron runs jobs of users that it knows") from None
    if os.geteuid() not in (0, found.pw_uid):
        raise UsageError(f"to look as `{name}` takes root", hint=f"sudo scriptrun doctor --cron --user {name} SCRIPT")
    return Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir)


def of_cron(who: Account, table: Mapping[str, str]) -> Surroundings:
    """Return what cron gives to a job of a user, with the variables that its table sets."""
    own = {"HOME": who.home, "LOGNAME": who.name, "PATH": PATH, "SHELL": "/bin/sh"}
    return Surroundings(who, {**_of_pam(), **own, **table, "LOGNAME": who.name})


def _of_pam() -> dict[str, str]:
    return dict(pair for path in _OF_PAM for pair in _read_variables(path))


def _read_variables(path: str) -> Iterator[tuple[str, str]]:
    """Yield the variables in a file, as pam_env reads it."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        found = re.fullmatch(r"\s*(?:export\s+)?([^\s=#]+)=([^#]*?)\s*(?:#.*)?", line)
        if found:
            name, value = found.groups()
            yield name, value[1:-1] if value[:1] in ("'", '"') and value[-1:] == value[:1] else value


def run(there: Surroundings, command: str, timeout: float | None = None) -> Finished:
    """Run a command of the shell as cron would. Raises OSError, process.TimeoutExpired and Interrupted."""
    who = there.account
    told = {"name": who.name, "uid": who.uid, "gid": who.gid, "variables": dict(there.variables), "command": command}
    return process.run(
        [sys.executable, "-I", "-S", "-c", _BECOME],
        environment={"SCRIPTRUN_TOLD": json.dumps(told)},
        directory=os.sep,
        timeout=timeout,
    )
