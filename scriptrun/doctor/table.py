"""Find a script in cron's tables: the line that starts it, and the variables that are set above."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scriptrun import process
from scriptrun.doctor.surroundings import Account

_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
"""The tables of the machine, whose lines name a user."""

_VARIABLE = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s=#]+)\s*=\s*(.*?)\s*""")
_JOB = re.compile(r"\s*(?:@\w+|(?:[^\s#@]\S*\s+){4}\S+)\s+(.*)")


@dataclass(frozen=True)
class Line:
    """A line of a table that starts a script: of which table, with which variables, by which `scriptrun`.

    `program` is the word that names it, `""` where the script is started by itself.
    """

    table: str
    variables: Mapping[str, str]
    program: str


def find(script: str, who: Account, environ: Mapping[str, str]) -> Line | None:
    """Return the first line that starts the file `script` as a user, None where there is none. Raises Interrupted."""
    for table, text, named in _tables(who, environ):
        variables: dict[str, str] = {}
        for line in text.splitlines():
            pair = _VARIABLE.fullmatch(line)
            if pair:
                variables[_bare(pair.group(1))] = _bare(pair.group(2))
            command = _command(line, who.name if named else "")
            words = _starting(script, _words(command))
            if words:
                return Line(table, variables, _program(words))
    return None


def _tables(who: Account, environ: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """Yield name and text of each table, and whether its lines name a user."""
    command = ["crontab", "-l", *(["-u", who.name] if os.geteuid() == 0 else [])]
    with contextlib.suppress(OSError):  # there is no cron here
        finished = process.run(command, environment=environ, directory=os.sep)
        if finished.status == 0:
            yield f"the table of {who.name}", finished.output, False
    for path in sorted(path for pattern in _SYSTEM for path in glob.glob(pattern)):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
            yield path, file.read(), True


def _command(line: str, user: str) -> str:
    """Return the command of a line, `""` where it has none, or not one for `user` (`""`: the line names nobody)."""
    job = _JOB.fullmatch(line)
    if job is None:
        return ""
    command = re.split(r"(?<!\\)%", job.group(1))[0].replace("\\%", "%")
    if not user:
        return command
    named, _, rest = command.partition(" ")
    return rest.lstrip() if named == user else ""


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
    """Return a name or a value without the quotes around it."""
    return text[1:-1] if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0] else text
