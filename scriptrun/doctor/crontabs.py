"""Find a script in cron's tables: the line that starts it, and the variables that are set above."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from scriptrun.errors import EditError
from scriptrun.jobs import crontab, tables
from scriptrun.jobs.account import Account

_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
"""The tables of the machine, whose lines name a user."""

_VARIABLE = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s=#]+)\s*=\s*(.*?)\s*""")
_JOB = re.compile(r"\s*(?:@\w+|(?:[^\s#@]\S*\s+){4}\S+)\s+(.*)")
_SET = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line of a table that starts a script: of which table, with which variables, by which `scriptrun`.

    `variables` are set above it, `leading` in the line itself. `program` is the word that names scriptrun, `""` where
    the script is started by itself. `ignored` tells why cron does not look at the table, `""` where it does.
    """

    table: str
    variables: Mapping[str, str]
    leading: Mapping[str, str]
    program: str
    ignored: str


class _Table(NamedTuple):
    """A table: its name and text, whether its lines name a user, and why cron ignores it (`""`: it does not)."""

    name: str
    text: str
    named: bool
    ignored: str


def find(script: str, who: Account, environ: Mapping[str, str]) -> Line | None:
    """Return the first line that starts the file `script` as a user, None where there is none.

    One that cron ignores is returned where there is no other.
    """
    found = [line for table in _tables(who, environ) for line in _lines(table, script, who.name)]
    return min(found, key=lambda line: bool(line.ignored), default=None)


def _tables(who: Account, environ: Mapping[str, str]) -> Iterator[_Table]:
    with contextlib.suppress(EditError, OSError):  # there is no cron here
        text = (tables.read(who, environ) or b"").decode("utf-8", "surrogateescape")
        yield _Table(f"the table of {who.name}", text, named=False, ignored="")
    for path in sorted(path for pattern in _SYSTEM for path in glob.glob(pattern)):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
            yield _Table(path, text, named=True, ignored=_refusal(path, text))


def _refusal(path: str, text: str) -> str:
    """Return why cron takes nothing from a table of the machine, `""` where it does. Raises OSError."""
    if not text.endswith("\n"):
        return "its last line has no end"
    directory, name = os.path.split(path)
    if directory != "/etc" and not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return "its name holds other characters than letters, digits, `_` and `-`"
    status = os.stat(path)
    if status.st_uid or os.lstat(path).st_uid:
        return "it does not belong to root"
    if status.st_mode & 0o022:
        return "others than root can write to it"
    return "it has another hard link" if status.st_nlink > 1 else ""


def _lines(table: _Table, script: str, user: str) -> Iterator[Line]:
    """Yield the lines of a table that start a script as a user."""
    variables: dict[str, str] = {}
    for line in table.text.splitlines():
        pair = _VARIABLE.fullmatch(line)
        if pair:
            variables[_bare(pair.group(1))] = _bare(pair.group(2))
        words = _starting(script, _words(_command(line, user if table.named else "")))
        if words:
            set_before = itertools.takewhile(bool, map(_SET.fullmatch, words))
            leading = {found[1]: found[2] for found in set_before if found}
            yield Line(table.name, dict(variables), leading, _program(words), table.ignored)


def _command(line: str, user: str) -> str:
    """Return the command of a line, `""` where it has none, or not one for `user` (`""`: the line names nobody)."""
    job = _JOB.fullmatch(line)
    if job is None:
        return ""
    if not user:
        return crontab.received(job.group(1))
    named, _, command = job.group(1).partition(" ")
    return crontab.received(command.lstrip()) if named == user else ""


def _words(command: str) -> list[str]:
    """Return the words of a command, without what stands between commands, such as `;` and parentheses."""
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    try:
        return list(words)
    except ValueError:  # quotes that the shell will complain of
        return command.split()


def _starting(script: str, words: list[str]) -> list[str]:
    """Return the words up to the one that names `script`, none where none does."""
    real = os.path.realpath(script)
    for number, word in enumerate(words):
        if os.path.isabs(word) and os.path.realpath(word) == real:
            return words[: number + 1]
    return []


def _program(words: Iterable[str]) -> str:
    return next((word for word in words if os.path.basename(word) == "scriptrun"), "")


def _bare(text: str) -> str:
    """Return a name or a value of a table without the quotes around it, which have to match."""
    return text[1:-1] if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0] else text
