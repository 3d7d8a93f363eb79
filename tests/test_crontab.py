"""Crontabs as text: blocks put in and taken out, and the words of a command behind cron and shell."""

from __future__ import annotations

import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrun.errors import EditError
from scriptrun.jobs import crontab
from scriptrun.jobs.job import Job

MARKERS = (b"# scriptrun:",)
lines = st.binary(max_size=12).filter(lambda line: b"\n" not in line and not line.startswith(MARKERS))
texts = st.lists(lines, max_size=6).map(b"\n".join)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=8)
marked = st.text(st.sampled_from("ab%\\'\" $"), max_size=12)


def block(script: str = "/s.py", when: str = "@daily") -> list[bytes]:
    """Return the block of a script."""
    return crontab.block(Job("/bin/scriptrun", script, (), (), {}), when, ["as ada"])


@given(texts, st.sampled_from(["/s.py", "/a b/%ä\udcff.py", "/end of x"]))
def test_install_and_remove_is_nothing(table: bytes, script: str) -> None:
    """Whatever a table holds, with a final newline or without: what is put into it and taken out leaves no trace."""
    put = crontab.put(table, script, block(script))
    assert put != table
    assert put.startswith(table)
    assert crontab.take(put, script) == table
    assert crontab.take(table, script) == table
    assert crontab.put(put, script, block(script)) == put


@given(texts, texts)
def test_blocks_of_others_stay(before: bytes, after: bytes) -> None:
    """A block is replaced in its place, whatever is around it; blocks of other scripts and all else stay."""
    own, other = b"\n".join(block()), b"\n".join(block("/s.py.old"))
    parts = (before, other, own, other, after)
    expected = (before, other, b"\n".join(block(when="@hourly")), other, after)
    assert crontab.put(b"\n".join(parts), "/s.py", block(when="@hourly")) == b"\n".join(expected)
    assert crontab.take(b"\n".join(parts), "/s.py") == b"\n".join((before, other, other, after))


def test_copies_of_a_block_are_one() -> None:
    """A block that was copied is replaced once, and taken out wherever it is, also with carriage returns."""
    own = b"\n".join(block())
    copied = b"\n".join((b"a", own, b"b", own.replace(b"\n", b"\r\n") + b"\r", b"c", b""))
    assert crontab.put(copied, "/s.py", block()) == b"\n".join((b"a", own, b"b", b"c", b""))
    assert crontab.take(copied, "/s.py") == b"a\nb\nc\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x,B", "line 2 of the crontab begins a block of scriptrun that does not end"),
        ("B,x,B,x,E", "line 1 of the crontab begins a block of scriptrun that does not end"),
        ("B,x,E,E", "line 4 of the crontab ends a block of scriptrun that does not begin"),
        ("O,x,E", "line 3 of the crontab ends a block of scriptrun that does not begin"),
        ("O,B,E", "line 1 of the crontab begins a block of scriptrun that does not end"),
    ],
)
def test_damaged_markers(rows: str, message: str) -> None:
    """Where markers do not match, the error names the line, and nothing is changed."""
    kinds = {"B": b"# scriptrun: /s.py", "E": b"# scriptrun: end of /s.py", "O": b"# scriptrun: /o.py", "x": b"x"}
    table = b"\n".join(kinds[row] for row in rows.split(","))
    with pytest.raises(EditError, match=message):
        crontab.take(table, "/s.py")
    with pytest.raises(EditError, match=message):
        crontab.put(table, "/s.py", block())


def test_comments_are_no_markers() -> None:
    """A comment that only begins as a marker does is left alone: it names no file."""
    table = b"# scriptrun: my jobs\n# scriptrun: end of them\n@daily true\n"
    put = crontab.put(table, "/s.py", block())
    assert put.startswith(table)
    assert crontab.take(put, "/s.py") == table


def unescaped(command: str) -> str:
    r"""Return what Debian's cron gives to the shell: `\%` is `%`, `\\` is `\`, and the rest is for stdin."""
    found = ""
    rest = iter(command)
    for character in rest:
        if character == "%":
            break
        following = next(rest, "") if character == "\\" else ""
        found += following if following and following in "%\\" else character + following
    return found


@given(st.lists(words | marked, max_size=4))
def test_words_survive_cron_and_shell(arguments: list[str]) -> None:
    """Whatever is in the words of a command: behind cron and the shell they are the same."""
    job = Job("/bin/scriptrun", "/s%.py", ("--with", "a%"), tuple(arguments), {"XDG_CACHE_HOME": "/\\%"})
    line = os.fsdecode(crontab.block(job, "@daily", [])[1]).removeprefix("@daily ")
    assert shlex.split(unescaped(line)) == ["XDG_CACHE_HOME=/\\%", *job.command]


@given(marked)
def test_what_cron_reads_is_known(command: str) -> None:
    """What a shell would get of any line is told as cron does it."""
    assert crontab.received(command) == unescaped(command)
