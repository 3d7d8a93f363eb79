"""Whose a job of cron's is, as the machine's list of users has them, and how cron starts it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from scriptrun.errors import UsageError

PATH = "/usr/bin:/bin"
SHELL = "/bin/sh"
"""What a job gets as PATH and SHELL, unless a line of its table sets others."""


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int
    home: str

    @property
    def is_own(self) -> bool:
        """Whether it is the user who runs this."""
        return self.uid == os.geteuid()


def find(name: str) -> Account:
    """Return the user of that name, `""`: who runs this. Raises UsageError where there is none."""
    if sys.platform == "win32":
        raise UsageError("there is no cron on Windows")
    import pwd  # not on Windows

    try:
        found = pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    except KeyError:
        who = f"`{name}`" if name else f"number {os.geteuid()}"
        raise UsageError(f"this machine knows no user {who}", hint="cron runs jobs of users that it knows") from None
    return Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir)
