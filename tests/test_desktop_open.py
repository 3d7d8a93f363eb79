"""`scriptrun desktop open`: what a double click starts, on a real screen; and what it shows when nothing starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support.desktop import Desktop
from support.user import User

from scriptrun import arguments
from scriptrun.cli.desktop import open as open_command
from scriptrun.cli.desktop import report
from scriptrun.desktop import dialogs, opening
from scriptrun.errors import ScriptMissing, ScriptUnreadable, UsageError


@pytest.fixture
def desktop(user: User) -> Iterator[Desktop]:
    """A desktop of the user's own."""
    with desktops.start(user) as started:
        yield started


TERMINAL = "xterm -fa Monospace -fs 13"
"""A terminal whose letters can be read."""


def script(user: User, name: str, *, head: str = "dependencies = []", body: str = "") -> Path:
    """Write a script with a line in its block, which nobody has made executable."""
    return user.write(name, f"# /// script\n# {head}\n# ///\n{body}")


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
    desktop.shows("ARGUMENTS ['a b']", window)
    desktop.shows("Press any key to close this window.", window)
    desktop.key("Up")
    desktop.closed(window)


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
        desktop.shows(told, window)
        desktop.key("alt+F4")
        desktop.closed(window)
        assert process.wait() in (2, 126, 127)
