"""Crontabs as text: the block that scriptrun keeps in one for a script, between markers, and all else as it was."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scriptrun.errors import EditError, UsageError
from scriptrun.jobs.job import Job

_BEGIN, _END = b"# scriptrun: ", b"# scriptrun: end of "
_MARKER = re.compile(rb"# scriptrun: (end of )?('?/.*)", re.DOTALL)
"""What markers look like, and no other comment: they name the absolute path of a file."""

LONGEST = 998
"""How many bytes Debian's cron takes as a command; from a longer one in /etc/cron.d it takes nothing."""


def block(job: Job, when: str, assumptions: Sequence[str]) -> list[bytes]:
    """Return the lines of a job: markers, comments and, with `when` (schedule, perhaps user) before it, the command.

    Raises UsageError for what cannot stand in a crontab.
    """
    line = command(job.command, job.variables)
    if "\n" in line:
        raise UsageError("a line of a crontab cannot hold a newline", hint="rename the file, or leave the argument out")
    if len(os.fsencode(line)) > LONGEST:
        raise UsageError(f"the command is longer than the {LONGEST} bytes that cron takes", hint="use an --env-file")
    name = _name(job.script)
    comments = [os.fsencode(f"# {comment}") for comment in assumptions]
    return [_BEGIN + name, *comments, os.fsencode(f"{when} {line}"), _END + name]


def command(words: Iterable[str], variables: Mapping[str, str]) -> str:
    r"""Return what is to stand in a line so that the shell that cron starts gets these words, variables before them.

    cron itself reads `\%` as `%` and `\\` as `\` before the shell does.
    """
    set_before = (f"{name}={shlex.quote(value)}" for name, value in sorted(variables.items()))
    line = " ".join([*set_before, *map(shlex.quote, words)])
    return line.replace("\\", "\\''").replace("%", "\\%")


def received(command: str) -> str:
    r"""Return what the shell gets of a line's command: what follows a `%` without `\` before it is for stdin."""
    kept = re.match(r"(?:\\[%\\]|[^%])*", command)
    return re.sub(r"\\([%\\])", r"\1", kept.group() if kept else "")


def put(table: bytes, script: str, lines: Sequence[bytes]) -> bytes:
    """Return a table with these lines as the block of the file `script`, in the place of one that is there.

    Raises EditError where markers do not match.
    """
    rows = table.split(b"\n")
    places = list(_places(rows, script))
    end = len(rows) - 1 if rows[-1] == b"" else len(rows)  # without a final newline, as before
    first = places[0] if places else slice(end, end)
    for place in reversed(places[1:]):
        del rows[place]
    rows[first] = lines
    return b"\n".join(rows)


def take(table: bytes, script: str) -> bytes:
    """Return a table without the blocks of the file `script`. Raises EditError where markers do not match."""
    rows = table.split(b"\n")
    for place in reversed(list(_places(rows, script))):
        del rows[place]
    return b"\n".join(rows)


def _places(rows: Sequence[bytes], script: str) -> Iterator[slice]:
    """Yield where the blocks of a script are."""
    name = _name(script)
    begun: tuple[int, bytes] | None = None
    for number, row in enumerate(rows):
        marker = _MARKER.fullmatch(row.rstrip())  # an editor may have added carriage returns
        if marker is None:
            continue
        if marker[1]:
            if begun is None or begun[1] != marker[2]:
                raise _damage(number, "ends a block of scriptrun that does not begin")
            if begun[1] == name:
                yield slice(begun[0], number + 1)
            begun = None
        else:
            if begun is not None:
                break
            begun = (number, marker[2])
    if begun is not None:
        raise _damage(begun[0], "begins a block of scriptrun that does not end")


def _damage(number: int, what: str) -> EditError:
    return EditError(
        f"line {number + 1} of the crontab {what}; nothing was changed",
        hint="run `crontab -e` and remove what is left of the block",
    )


def _name(script: str) -> bytes:
    return os.fsencode(shlex.quote(script))
