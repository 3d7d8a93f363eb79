"""The window that shows a script from elsewhere, on a real screen: what it says, and what its buttons do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop
from support.desktop import Desktop
from support.user import LIMIT, User

RUN = "# /// script\n# dependencies = [{}]\n# [tool.scriptrun]\n# gui = true\n# ///\n"
RUN += "import os\nprint('this is\u202e shown')\nopen('ran', 'a').write(os.getcwd() + chr(10))\n"


@pytest.fixture
def screen(user: User) -> Iterator[Desktop]:
    """A desktop of the user."""
    with desktop.start(user) as started:
        yield started


def downloaded(user: User, *requirements: str, name: str = "holiday photos.py") -> Path:
    """Return a script without a terminal that a browser has downloaded; it writes its directory to `ran`."""
    path = user.home / "Downloads" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(RUN.format(", ".join(f"'{one}'" for one in requirements)))
    os.setxattr(path, "user.xdg.origin.url", b"https://example.org/files/1?s3cret")
    return path


def opened(screen: Desktop, script: Path) -> subprocess.Popen[bytes]:
    """Open a script as file managers do."""
    return screen.start("scriptrun", "desktop", "open", script)


def ran(script: Path) -> list[str]:
    """Return the directories that the script has run in, one for each time."""
    file = script.with_name("ran")
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("toolkit", ["tk", pytest.param("zenity", marks=pytest.mark.slow)])
def test_what_is_let_run_is_shown_once(user: User, screen: Desktop, toolkit: str) -> None:
    """The first time a window says what it is; after Run it starts, in its directory, and from then on at once."""
    script = downloaded(user, "demo>=1")
    if toolkit == "zenity":
        user.write("libtk8.6.so", "broken\n")  # what a Python imports `tkinter` from loads this
        user.variables["LD_LIBRARY_PATH"] = str(user.directory)
    process = opened(screen, script)
    window = screen.window("^Run holiday photos.py", of="(?i)scriptrun")
    text = screen.read(window)
    screen.picture(f"trust-question-{toolkit}")
    for words in ("has not run on this computer before", "downloaded from example.org", "demo>=1"):
        assert words in text
    assert "s3cret" not in text
    assert ran(script) == []
    screen.press("Run", window)
    assert process.wait(LIMIT) == 0
    assert ran(script) == [str(script.parent)]
    assert opened(screen, script).wait(LIMIT) == 0
    assert (len(ran(script)), screen.windows()) == (2, [])


@pytest.mark.slow
def test_text_is_shown_and_cancel_ends_in_silence(user: User, screen: Desktop) -> None:
    """Show has the very text, with what could not be seen in it; back from it, Cancel runs nothing and says nothing."""
    script = downloaded(user)
    process = opened(screen, script)
    window = screen.window("^Run holiday photos.py")
    screen.press("Show", window)
    screen.find("open('ran',")
    screen.picture("trust-text")
    assert "u202e" in screen.read()
    screen.press("Cancel", window)
    assert process.wait(LIMIT) == 125
    assert (ran(script), screen.windows()) == ([], [])
    assert "scriptrun: " not in screen.output.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["Return", "Escape", "alt+F4"])
def test_no_key_runs_it_by_accident(user: User, screen: Desktop, key: str) -> None:
    """Return presses Cancel, where the focus is; Escape and closing the window mean the same."""
    script = downloaded(user)
    process = opened(screen, script)
    screen.window("^Run holiday photos.py")
    screen.key(key)
    assert process.wait(LIMIT) == 125
    assert ran(script) == []


@pytest.mark.slow
def test_change_while_it_is_looked_at_is_told(user: User, screen: Desktop) -> None:
    """What has changed since it was shown does not run, and a window says what to do."""
    script = downloaded(user)
    process = opened(screen, script)
    window = screen.window("^Run holiday photos.py")
    script.write_text(script.read_text() + "print()\n")
    screen.press("Run", window)
    screen.closed(window)
    told = screen.window("holiday photos.py")
    assert "you have not agreed to what it is now" in screen.read(told)
    screen.picture("trust-changed")
    screen.key("Escape")
    assert process.wait(LIMIT) == 125
    assert ran(script) == []


@pytest.mark.slow
def test_mistake_in_a_script_from_elsewhere_is_told_and_nothing_asked(user: User, screen: Desktop) -> None:
    """Nobody is to agree to what cannot be read."""
    script = downloaded(user)
    script.write_text(RUN.format("]"))
    process = opened(screen, script)
    window = screen.window("holiday photos.py")
    assert "there is a mistake in it" in screen.read(window)
    screen.key("Escape")
    assert process.wait(LIMIT) == 125
    assert ran(script) == []
