"""Find a script in cron's tables: the line that starts it, and the variables that are set above."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scriptrun import arguments
from scriptrun.errors import EditError, ScriptrunError
from scriptrun.jobs import crontab, tables
from scriptrun.jobs.account import Account

_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
"""The tables of the machine, whose lines name a user."""

_VARIABLE = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s=#]+)\s*=\s*(.*?)\s*""")
_JOB = re.compile(r"\s*(?:@\w+|(?:[^\s#@]\S*\s+){4}\S+)\s+(.*)")
_SET = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


_WRAPPERS = frozenset(("chronic", "env", "exec", "flock", "ionice", "nice", "nohup", "setsid", "time", "timeout"))
"""Programs that start the one that is named behind them."""


@dataclass(frozen=True)
class Line:
    """A line of a table that starts a script: where it is, with which variables, by which `scriptrun`, and how.

    `variables` are set above it, `leading` in the line itself. `program` is the word that names scriptrun, `""` where
    the script is started by itself; `options` are the words between the two. `ignored` tells why cron does not look at
    the table, `""` where it does.
    """

    place: str
    variables: Mapping[str, str]
    leading: Mapping[str, str]
    program: str
    options: tuple[str, ...]
    ignored: str


class _Table(NamedTuple):
    """A table: its name and text, whether its lines name a user, and why cron ignores it (`""`: it does not)."""

    name: str
    text: str
    named: bool
    ignored: str


def find(script: str, who: Account, environ: Mapping[str, str]) -> list[Line]:
    """Return the lines that start the file `script` as a user; one that cron ignores only where there is no other."""
    found = [line for table in _tables(who, environ) for line in _lines(table, script, who.name)]
    return [line for line in found if not line.ignored] or found[:1]


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
    for number, line in enumerate(table.text.split("\n"), 1):
        pair = _VARIABLE.fullmatch(line)
        if pair:
            variables[_bare(pair.group(1))] = _bare(pair.group(2))
        for words in _commands(_command(line, user if table.named else "")):
            leading = dict(_leading(words))
            started = _started(words[len(leading) :], os.path.realpath(script))
            if started is not None:
                place = f"{table.name}, line {number}"
                yield Line(place, dict(variables), leading, started[0], started[1], table.ignored)


def _command(line: str, user: str) -> str:
    """Return the command of a line, `""` where it has none, or not one for `user` (`""`: the line names nobody)."""
    job = _JOB.fullmatch(line)
    if job is None:
        return ""
    if not user:
        return crontab.received(job.group(1))
    named, *command = job.group(1).split(None, 1)
    return crontab.received(command[0]) if command and named == user else ""


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command, without what stands between commands, such as `;` and parentheses."""
    words = shlex.shlex(text, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    try:
        found = list(words)
    except ValueError:  # quotes that the shell will complain of
        found = text.split()
    for between, group in itertools.groupby(found, lambda word: not word.strip("();&|")):
        if not between:
            yield list(group)


def _leading(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that are set before a command."""
    for found in itertools.takewhile(bool, map(_SET.fullmatch, words)):
        if found:
            yield found[1], found[2]


def _started(words: Sequence[str], script: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the word that names scriptrun (`""`: none does), and the options, where a command starts `script`."""
    wrapped = bool(words) and os.path.basename(words[0]) in _WRAPPERS
    for number, word in enumerate(words if wrapped else words[:1]):
        if os.path.isabs(word) and os.path.realpath(word) == script:
            return "", ()
        if os.path.basename(word) == "scriptrun":
            options = _options(words[number + 1 :], script)
            return None if options is None else (word, options)
    return None


def _options(words: Sequence[str], script: str) -> tuple[str, ...] | None:
    """Return the words before `script` if it is what scriptrun is to run, None where it is not.

    What scriptrun would refuse is left for it to refuse.
    """
    for number, word in enumerate(words):
        if os.path.isabs(word) and os.path.realpath(word) == script:
            with contextlib.suppress(ScriptrunError):
                asked = arguments.parse(words, {})
                if asked.action != "script" or asked.target != word:
                    return None
            return tuple(words[:number])
    return None


def _bare(text: str) -> str:
    """Return a name or a value of a table without the quotes around it, which have to match."""
    return text[1:-1] if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0] else text
