"""`scriptrun desktop open`: what a double click starts, on a real screen; and what it shows when nothing starts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import desktop as desktops
from support.desktop import LIMIT, Desktop
from support.user import User

from scriptrun import arguments
from scriptrun.cli.desktop import open as open_command
from scriptrun.cli.desktop import report
from scriptrun.desktop import dialogs, opening
from scriptrun.desktop_table import Desktop as Table
from scriptrun.errors import ScriptMissing, ScriptUnreadable, UsageError


@pytest.fixture
def desktop(user: User) -> Iterator[Desktop]:
    """A desktop of the user's own."""
    with desktops.start(user) as started:
        yield started


TERMINAL = "xterm -fa Monospace -fs 13"
"""A terminal whose letters can be read."""

FULL = """\
mount -t tmpfs -o size=12k,mode=700 tmpfs "$1"
mkdir "$1/cache" "$1/state"
head -c 4096 /dev/zero >"$1/all"
while head -c 4096 /dev/zero >>"$1/all"; do :; done 2>/dev/null
export SCRIPTRUN_CACHE_DIR="$1/cache" XDG_STATE_HOME="$1/state"
shift
"$@" || :
[ ! "$(find "$XDG_STATE_HOME" -type f)" ]
"""
"""What runs a command with no room on the disk, and fails where files of its state are left."""


def script(user: User, name: str, *, head: str = "dependencies = []", body: str = "") -> Path:
    """Write a script with a line in its block, which nobody has made executable."""
    return user.write(name, f"# /// script\n# {head}\n# ///\n{body}")


def shown(desktop: Desktop, window: str, text: str) -> None:
    """Wait until a window shows a text, wherever its lines are broken; letters count, as no eye is sure of dots."""
    end = time.monotonic() + LIMIT
    while letters(text) not in letters(seen := desktop.read(window)):
        assert time.monotonic() < end, f"{text!r} is not in the window: {seen!r}"


def telling(desktop: Desktop, title: str, text: str) -> str:
    """Wait for a window that shows a text, where one of the same title may have shown the progress, and gone."""
    end = time.monotonic() + LIMIT
    while True:
        window, seen = desktop.window(title), ""
        with suppress(AssertionError):  # it has gone meanwhile
            seen = desktop.read(window)
        if letters(text) in letters(seen):
            return window
        assert time.monotonic() < end, f"{text!r} is not in the window: {seen!r}"


def letters(text: str) -> str:
    """Return the letters of a text."""
    return re.sub(r"[\W_]", "", text).lower()


def test_what_a_word_means(tmp_path: Path) -> None:
    """Paths and URLs of files are found; directories, files that have gone and other URLs are told apart."""
    (tmp_path / "a b%c.py").write_text("")
    assert opening.located(f"{tmp_path}/a b%c.py") == f"{tmp_path}/a b%c.py"
    assert opening.located(f"file://{tmp_path}/a%20b%25c.py") == f"{tmp_path}/a b%c.py"
    assert opening.located(f"file://localhost{tmp_path}/a%20b%25c.py") == f"{tmp_path}/a b%c.py"
    with pytest.raises(ScriptUnreadable):
        opening.located(f"file://{tmp_path}")
    assert opening.located(f"file:{tmp_path}/a%20b%25c.py") == f"{tmp_path}/a b%c.py"
    with pytest.raises(ScriptMissing):
        opening.located(f"{tmp_path}/gone.py")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("fifo", "zero"):
        with pytest.raises(ScriptUnreadable):
            opening.located(f"{tmp_path}/{name}")
    for url in ("https://example.org/x.py?key=secret", "file://elsewhere/x.py"):
        with pytest.raises(UsageError) as caught:
            opening.located(url)
        assert "secret" not in caught.value.message


def test_what_the_system_refuses_is_told_in_a_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that goes while it is opened is told of where somebody sees it."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(dialogs, "tell", lambda *words: told.append(words[:2]))
    monkeypatch.setattr(opening, "located", lambda _word: f"{tmp_path}/gone.py")
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert open_command.main(arguments.parse(["desktop", "open", "gone.py"], environ), environ) == 125
    assert told == [("gone.py", "“gone.py” cannot start because No such file or directory.")]


def test_the_end_of_what_a_script_wrote_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of a long log its end is shown, wherever others write on."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(dialogs, "tell", lambda *words: told.append(words[:3]))
    (tmp_path / "log").write_bytes(b"begin" + b"x" * 30_000 + b"\nend\n")
    given = os.dup(0)
    with open(tmp_path / "log", "rb") as log:
        os.dup2(log.fileno(), 0)
    os.lseek(0, 0, os.SEEK_END)
    try:
        assert report.main(arguments.parse(["desktop", "report", "died", "/a/s.py", "1"], {}), {}) == 0
    finally:
        os.dup2(given, 0)
        os.close(given)
    ((name, sentence, details),) = told
    assert (name, sentence) == ("s.py", "“s.py” has ended with a failure: end.")
    assert (len(details), details[-5:]) == (20_000, "\nend\n")


@pytest.mark.slow
@pytest.mark.parametrize("emulator", [TERMINAL, "lxterminal"])
def test_a_real_terminal_opens(user: User, desktop: Desktop, emulator: str) -> None:
    """The script runs in the terminal, in its directory, with its arguments, and the window goes at a key."""
    path = script(user, 'it\'s %f "1".py', body="import sys\nprint('ARGUMENTS', sys.argv[1:])\n")
    desktop.start("scriptrun-attend", "new-terminal", "auto", path, "a  b", TERMINAL=emulator)
    window = desktop.window("^it's %f")
    shown(desktop, window, "ARGUMENTS ['a b']")
    shown(desktop, window, "Press any key to close this window.")
    desktop.key("Up")
    desktop.closed(window)


FAILURES = {
    "another-python": ('requires-python = ">=3.99"', "or newer, which is not installed"),
    "no-index": ('dependencies = ["demo"]', "what it needs cannot be fetched"),
    "full-disk": ("dependencies = []", "the disk is full"),
    "typo": ('dependencies = ["demo]', "there is a mistake in it, in line 2"),
}
"""What may go wrong at the first double click: what the block says, and what is told."""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["py", "pyw"])
@pytest.mark.parametrize("case", FAILURES)
def test_a_first_double_click_that_fails(user: User, desktop: Desktop, case: str, ending: str) -> None:
    """In a terminal and in a window, one sentence says why, once; the picture is kept. Nothing is left behind."""
    head, told = FAILURES[case]
    path = script(user, f"report.{ending}", head=head)
    around = (
        ["unshare", "-m", "sh", "-ec", FULL, "-", str(user.write("full/x", "").parent)] if case == "full-disk" else []
    )
    variables = {"TERMINAL": TERMINAL, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    mode = Table().mode(str(path)), Table().keep
    process = desktop.start(*around, "scriptrun-attend", *mode, path, **variables)
    window = telling(desktop, f"report.{ending}", told)
    desktop.picture(f"open-{case}-{ending}")
    desktop.key("x" if ending == "py" else "alt+F4")
    desktop.closed(window)
    status = process.wait(LIMIT)  # there is no other window, for which it would wait
    assert status == (0 if ending == "py" or case == "full-disk" else 125)
    assert not [one for one in user.home.glob(".local/state/scriptrun/*") if one.name != "approved"]


@pytest.mark.slow
def test_a_script_that_dies_without_a_terminal(user: User, desktop: Desktop) -> None:
    """A window says what happened, with what the script wrote as details; the log goes with it."""
    path = script(user, "photos.pyw", body="print('before')\n1 / 0\n")
    process = desktop.start("scriptrun-attend", "window", "auto", path)
    window = desktop.window("photos.pyw")
    shown(desktop, window, "has stopped because of an error")
    desktop.picture("open-died")
    desktop.key("alt+F4")
    desktop.closed(window)
    assert process.wait() == 1
    assert not [one for one in os.listdir(user.home / ".local/state/scriptrun") if one.startswith("running")]


@pytest.mark.slow
def test_what_cannot_be_opened_is_told_in_a_window(user: User, desktop: Desktop) -> None:
    """A directory, a file that has gone, a URL, and nothing at all: each has a window of its own."""
    (user.directory / "folder").mkdir()
    for words, told in (
        (["folder"], "it is a folder"),
        (["gone.py"], "it is not there"),
        (["https://example.org/x.py"], "it is not on this computer"),
        ([], "Nothing was opened"),
    ):
        process = desktop.start("scriptrun", "desktop", "open", *words)
        window = desktop.window("^(folder|gone.py|x.py|scriptrun)$")
        shown(desktop, window, told)
        desktop.key("alt+F4")
        desktop.closed(window)
        assert process.wait() in (2, 126, 127)
