"""The text of desktop entries: as the specification has it, and as GLib starts what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import entries, watch
from support.user import LIMIT

from scriptrun.desktop.freedesktop import entry
from scriptrun.errors import UsageError

HARD = (
    "a b",
    "100%",
    "%f",
    "$HOME",
    "`id`",
    '"',
    "'",
    "back\\slash",
    "end\\",
    "\\;",
    "a;b",
    "é\u2028",
    "line\nfeed",
    "tab\tand\rreturn",
    " blanks ",
    "",
    "~",
    "#*?<>|&()",
    "-x",
    "a=b",
    "\\s\\n",
)
"""Words that have a meaning to somebody on their way through an entry."""

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n\t\r\\;= "))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("/bin/echo", "plain"), "/bin/echo plain"),
        (("/bin/echo", "a b"), '/bin/echo "a b"'),
        (("/bin/echo", '"`$\\'), '/bin/echo "\\"\\`\\$\\\\"'),
        (("/bin/echo", "50%"), "/bin/echo 50%%"),
        (("/bin/echo", ""), '/bin/echo ""'),
        (("/opt/a=b", "x"), '/bin/sh -c "exec \\"\\$0\\" \\"\\$@\\"" /opt/a=b x'),
    ],
)
def test_words_are_quoted(words: tuple[str, ...], expected: str) -> None:
    """A word with a reserved character is in quotes, where four characters get a backslash; `%` is doubled."""
    assert f"{expected} %f" == entry.command(words, "%f")


@pytest.mark.parametrize(
    ("meant", "expected"),
    [
        ("a\\b", "a\\\\b"),
        (" a b ", "\\sa b\\s"),
        ("a\n\t\r", "a\\n\\t\\r"),
        ("a\\;b", "a\\\\;b"),
        (["a;b", "c\\", " d"], "a\\;b;c\\\\;\\sd;"),
        ([], ""),
    ],
)
def test_values_are_escaped(meant: str | list[str], expected: str) -> None:
    """A backslash, a line end, a tab and a blank at an end are escaped, in lists also a semicolon, and nothing else."""
    assert f"[Desktop Entry]\nKey={expected}\n" == entry.text({"Key": meant})


@given(TEXTS)
def test_what_is_written_is_read_again(text: str) -> None:
    """Every text comes back as it was."""
    assert {"First": text, "Second": "2"} == entry.read(entry.text({"First": text, "Second": "2"}))


def test_other_groups_are_passed_over() -> None:
    """Keys of actions, comments and what is no line of an entry count for nothing; blanks around `=` neither."""
    content = "# Name=no\n[Desktop Entry]\nName = yes\nrubbish\n#Name=no\n\n[Desktop Action a]\nName=no\n"
    assert entry.read(content) == {"Name": "yes"}


@pytest.mark.parametrize("text", ["\x00", "\x01", "\x7f", "\udcff", "a\x0c"])
def test_what_is_no_text_is_refused(text: str) -> None:
    """A control character, or a byte that is no text, makes an error that says what to do."""
    with pytest.raises(UsageError) as caught:
        entry.text({"Name": f"a{text}b"})
    assert caught.value.hint == "rename it"


@pytest.mark.parametrize("name", ["plain", "a b", "a=b", "100%", "%f", "it's", '"$`\\'])
def test_words_reach_the_program(tmp_path: Path, name: str) -> None:
    """`gio launch` starts a program at any path with exactly the words that were meant, and then the files."""
    program, fifo, file = tmp_path / name / "program", tmp_path / "fifo", tmp_path / "entry.desktop"
    program.parent.mkdir()
    shutil.copyfile("/usr/bin/env", program)
    program.chmod(0o755)
    os.mkfifo(fifo)
    words = (str(program), "sh", "-c", 'fifo=$1; shift; printf "%s\\0" "$@" >"$fifo"', "sh", str(fifo), *HARD)
    fields = {"Type": "Application", "Name": "Words", "Exec": entry.command(words, "%F")}
    file.write_text(entry.text(fields), "utf-8")
    assert entries.validated(file) == ""
    with subprocess.Popen(["gio", "launch", file, "/one file", "/an=other"]) as process:
        received = watch.receive(fifo)
        assert process.wait(LIMIT) == 0
    assert [*HARD, "/one file", "/an=other"] == received.split("\0")[:-1]
