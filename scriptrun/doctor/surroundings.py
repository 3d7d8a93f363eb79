"""What cron gives to a job: who runs it, where, with which variables, and how; and running a command just so.

As Debian's cron was seen to do it: of its own environment nothing is left. PAM adds what is in two files, but HOME,
PATH, SHELL and LOGNAME are cron's own, then come the lines of the table. The directory is HOME, where there is one.
"""

from __future__ import annotations

import json
import os
import re
import string
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scriptrun import process
from scriptrun.doctor import become
from scriptrun.errors import UsageError
from scriptrun.jobs import account as accounts
from scriptrun.jobs.account import PATH, SHELL, Account
from scriptrun.process import Exchanged

_OF_PAM = ("/etc/environment", "/etc/default/locale")
"""The files with variables that `/etc/pam.d/cron` names."""

_QUOTES = ("'", '"')


@dataclass(frozen=True)
class Surroundings:
    """What a job gets: whose it is, and its variables."""

    account: Account
    variables: Mapping[str, str]


def account(name: str) -> Account:
    """Return the user of that name, `""`: who runs this. Raises UsageError where there is none, or one cannot be."""
    found = accounts.find(name)
    if os.geteuid() not in (0, found.uid):
        raise UsageError(f"to look as `{name}` takes root", hint=f"sudo scriptrun doctor --cron --user {name} SCRIPT")
    return found


def of_cron(who: Account, table: Mapping[str, str], leading: Mapping[str, str]) -> Surroundings:
    """Return what cron gives to a job of a user, with the variables that its table sets, and its own line, `leading`.

    For these the shell puts in what is known of others; cron itself does not.
    """
    own = {"HOME": who.home, "LOGNAME": who.name, "PATH": PATH, "SHELL": SHELL}
    known = {**_of_pam(), **own, **table, "LOGNAME": who.name}
    expanded = {name: string.Template(value).safe_substitute(known) for name, value in leading.items()}
    return Surroundings(who, {**known, **expanded})


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
            yield name, _bare(value)


def _bare(value: str) -> str:
    """Return a value as pam_env has it: one that begins with a quote loses it, and a last one, whatever is between."""
    if not value.startswith(_QUOTES):
        return value
    return value[1:-1] if value[1:].endswith(_QUOTES) else value[1:]


def run(there: Surroundings, command: str) -> Exchanged:
    """Run a command of the shell as cron would, however long it takes. Raises OSError and Interrupted."""
    who = there.account
    told = {"name": who.name, "uid": who.uid, "gid": who.gid, "variables": dict(there.variables), "command": command}
    with tempfile.NamedTemporaryFile() as file:
        finished = process.run(
            [sys.executable, "-I", "-S", become.__file__],
            environment={"SCRIPTRUN_TOLD": json.dumps({**told, "output": file.name})},
            directory=os.sep,
        )
        return Exchanged(finished.status, file.read(), finished.output)
