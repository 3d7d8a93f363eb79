"""Failures as the user sees them: text, hint, exit status, and nothing that a terminal would obey."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.user import User

from scriptrun import errors, output
from scriptrun.errors import Interrupted, ScriptrunError

STATUSES = {
    "ScriptrunError": 125,
    "UsageError": 2,
    "MetadataError": 125,
    "ConfigurationError": 125,
    "PolicyError": 125,
    "RemoteError": 125,
    "BundleError": 125,
    "ApprovalError": 125,
    "Declined": 125,
    "InterpreterError": 125,
    "InstallError": 125,
    "CacheError": 125,
    "EditError": 125,
    "LockError": 125,
    "ScriptUnreadable": 126,
    "ScriptMissing": 127,
}


def test_statuses() -> None:
    """Every class of failure has its documented exit status, and is in the table at the head of the module."""
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ScriptrunError)
    ]
    assert {one.__name__ for one in classes} == {*STATUSES, "Interrupted"}
    for one in classes:
        status = "128+n" if one is Interrupted else str(STATUSES[one.__name__])
        assert any({one.__name__, status} <= set(line.split()) for line in (errors.__doc__ or "").split("\n"))
        assert one is Interrupted or one("x").status == STATUSES[one.__name__]
    assert Interrupted(15, "fetching").status == 143


def test_rendering() -> None:
    """A failure is one block: place and message, details indented, the hint last."""
    error = ScriptrunError("it failed", hint="try again", details="one\n  two\n", place="s.py:3")
    expected = "scriptrun: error: s.py:3: it failed\n  one\n    two\n  \nhint: try again\n"
    assert error.render() == expected
    assert ScriptrunError("it failed").render() == "scriptrun: error: it failed\n"


def test_place_cannot_forge_lines() -> None:
    """A file name with a newline or an escape sequence stays one harmless line."""
    error = ScriptrunError("`a\rb`", place="x\nhint: run rm -rf /\x1b[2J:1", hint="\x9b2J\n")
    assert error.render() == ("scriptrun: error: x\\x0ahint: run rm -rf /\\x1b[2J:1: `a\\x0db`\nhint: \\x9b2J\\x0a\n")


ESCAPES = {
    "plain": "plain",
    "tab\tstays": "tab\tstays",
    "é ☃ 表 🎉": "é ☃ 表 🎉",
    "\x00\x1b\x7f": "\\x00\\x1b\\x7f",
    "\r\n": "\\x0d\\x0a",
    "\x85\x9b": "\\x85\\x9b",
    "\u2028\u2029": "\\u2028\\u2029",
    "\u202e\u2066\u200f": "\\u202e\\u2066\\u200f",
    "\ufeff\u00ad": "\\ufeff\\xad",
    "\U000e0041": "\\U000e0041",
    "\udcff\udc80": "\\xff\\x80",
    "\ud800": "\\ud800",
}


@pytest.mark.parametrize(("text", "shown"), ESCAPES.items(), ids=ascii)
def test_escape(text: str, shown: str) -> None:
    """What a terminal would obey, hide or turn round is shown as its code; text stays text."""
    assert errors.escape(text) == shown


@given(st.text(st.characters(), max_size=30))
def test_escaped_text_is_harmless(text: str) -> None:
    """No text leaves anything that is a control, a format character, a line end or a surrogate, but tabs."""
    categories = {unicodedata.category(character) for character in errors.escape(text) if character != "\t"}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`demo @ https://user:secret@example.org/d.zip` failed", "`demo @ https://example.org/d.zip` failed"),
        ("https://token@example.org and https://a:b@c/@d", "https://example.org and https://c/@d"),
        ("https://user:p@ss@example.org/x", "https://example.org/x"),
        ("git+https://u:p@h/r@main", "git+https://h/r@main"),
        ("https://example.org/a@b?c@d#e@f", "https://example.org/a@b?c@d#e@f"),
        ("https://example.org?mail=a@b", "https://example.org?mail=a@b"),
        ("me@example.org", "me@example.org"),
    ],
)
def test_credentials_are_never_shown(text: str, shown: str) -> None:
    """The user and the password of a URL are in no part of a failure's text."""
    assert errors.without_credentials(text) == shown
    error = ScriptrunError(text, hint=text, details=text, place=text)
    assert error.render() == f"scriptrun: error: {shown}: {shown}\n  {shown}\nhint: {shown}\n"


def test_tell_survives_any_stderr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Text that stderr cannot show is escaped, and a stderr that is closed, full or missing is no failure."""
    with (tmp_path / "shown").open("w", encoding="ascii") as shown:
        monkeypatch.setattr(sys, "stderr", shown)
        output.tell("é ☃\n")
    assert (tmp_path / "shown").read_bytes() == b"\\xe9 \\u2603\n"
    with open("/dev/full", "w", encoding="utf-8") as full:
        for broken in (shown, None, full):
            monkeypatch.setattr(sys, "stderr", broken)
            output.tell("é\n")


def test_notes_and_warnings(capfd: pytest.CaptureFixture[str]) -> None:
    """Notes and warnings are one line each, escaped; a remedy is said where there is one."""
    output.note("a\nb")
    output.warn("c\x1b", "do \u202ed", "s\n.py:1")
    output.warn("c", "", "s.py:1")
    expected = (
        "scriptrun: note: a\\x0ab\n"
        "scriptrun: warning: s\\x0a.py:1: c\\x1b; do \\u202ed\n"
        "scriptrun: warning: s.py:1: c\n"
    )
    assert capfd.readouterr() == ("", expected)


def test_statuses_of_runs(user: User) -> None:
    """A run that fails ends with the status of its failure, the script's own stays its own, stdout is empty."""
    user.write("bad.py", "# /// script\n# dependencies = 1\n# ///\n")
    user.write("three.py", "raise SystemExit(3)\n")
    (user.directory / "directory.py").mkdir()
    for words, expected in (
        (("--frobnicate",), 2),
        (("bad.py",), 125),
        (("directory.py",), 126),
        (("missing.py",), 127),
        (("./missing",), 127),
        (("three.py",), 3),
    ):
        status, out, err = user.run("scriptrun", *words)
        assert (status, out) == (expected, ""), err
        assert err.startswith("scriptrun: error: ") == (expected != 3)
        assert "Traceback" not in err


def test_hostile_file_name_is_escaped(user: User) -> None:
    """A file name cannot clear the screen, add lines to a message, or make it unreadable."""
    name = b"\x1b[2J\nhint: \xff\xe2\x80\xae.py"
    user.write("bad.py", "# /// script\n# dependencies = 1\n# ///\n").rename(
        user.directory / name.decode("utf-8", "surrogateescape")
    )
    expected = (
        "scriptrun: error: ./\\x1b[2J\\x0ahint: \\xff\\u202e.py:2: "
        "`dependencies` is an integer, not an array of strings\n"
        'hint: an example: dependencies = ["httpx"]\n'
    )
    assert user.run("scriptrun", b"./" + name) == (125, "", expected)
