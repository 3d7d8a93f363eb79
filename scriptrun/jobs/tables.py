"""The table of a user, read and written by the program `crontab`."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping

from scriptrun import process, signals
from scriptrun.errors import EditError
from scriptrun.jobs.account import Account

_NO_TABLE = "no crontab for"
"""What `crontab -l` says where there is no table, with the same status as where it may not be used."""


_LONGEST_WAIT = 60.0
"""For how many seconds others are waited for."""


@contextlib.contextmanager
def alone(user: Account) -> Iterator[None]:
    """Let no other scriptrun of this user read the table before this one has written it, nor a signal in between.

    Raises EditError where that takes too long.
    """
    import fcntl

    with signals.interruptible("changing the table"), contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # no home, or one that cannot be locked
            descriptor = os.open(user.home, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            with signals.waiting(), signals.every(_LONGEST_WAIT, _give_up):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _give_up() -> None:
    """Raise EditError: whoever may read a home can lock it, and keep it so."""
    raise EditError("another program keeps your home locked; nothing was changed")


def read(user: Account, environ: Mapping[str, str]) -> bytes | None:
    """Return the table of a user, of another one for root alone; None where there is none. Raises EditError."""
    finished = _crontab(user, "-l", environ=environ)
    if finished.status and _NO_TABLE in finished.complaints:
        return None
    if not finished.status and b"\\" in finished.output:
        # Debian's `crontab -l` writes a carriage return as `\r`; what an editor gets is the table as it is.
        finished = _crontab(user, "-e", environ={**environ, "VISUAL": "cat"})
    if finished.status:
        raise EditError("`crontab -l` failed; nothing was changed", details=finished.complaints.strip())
    return finished.output


def write(user: Account, table: bytes, environ: Mapping[str, str]) -> None:
    """Make `table` the user's; an empty one is none, and one without a last newline gets it. Raises EditError."""
    if table and not table.endswith(b"\n"):  # `crontab` refuses it so, wherever it came from
        table += b"\n"
    finished = _crontab(user, "-" if table else "-r", environ=environ, given=table)
    if finished.status:
        raise EditError(
            "`crontab` refuses the new table; the old one is still there", details=finished.complaints.strip()
        )
    if (read(user, environ) or b"") != table:
        raise EditError(
            "the crontab is not what was written to it", hint="look at `crontab -l`: another program changes it"
        )


def _crontab(user: Account, word: str, *, environ: Mapping[str, str], given: bytes = b"") -> process.Exchanged:
    """Run the program `crontab`. Raises EditError where there is none."""
    program = shutil.which("crontab", path=environ.get("PATH", os.defpath))
    if program is None:
        raise EditError("there is no program `crontab`", hint="install cron: on Debian, apt-get install cron")
    whose = () if user.is_own else ("-u", user.name)  # as one's own, where `cron.allow` may forbid it
    return process.exchange((program, *whose, word), {**environ, "LC_ALL": "C"}, given)
