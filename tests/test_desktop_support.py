"""The desktop that other tests use: windows come and go, are read, are clicked, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

from support import desktop as desktops
from support.user import User


def test_a_window_is_waited_for_read_clicked_and_seen_to_close(user: User) -> None:
    """A question is read on the screen; a click on its button answers it, and its window goes."""
    with desktops.start(user) as desktop:
        process = desktop.start("zenity", "--question", "--title=A question", "--text=Shall the harness work?")
        window = desktop.window("A question", of="zenity")
        place = desktop.find("Yes", window)
        assert desktop.windows() == ["A question"]
        assert "Shall the harness work?" in desktop.read(window)
        assert desktop.picture("harness").stat().st_size > 0
        desktop.click(place)
        desktop.closed(window)
        assert process.wait(desktops.LIMIT) == 0
        assert desktop.windows() == []


def test_a_desktop_ends_with_all_that_was_started_on_it(user: User) -> None:
    """A program that left its parent is ended too, and the sockets of the screen and of the bus are gone."""
    with desktops.start(user) as desktop:
        desktop.start("sh", "-c", "setsid sleep 1000 & echo $! >started; exec sh -c 'echo >ready'").wait(desktops.LIMIT)
        left = int((user.directory / "started").read_text())
        assert Path(f"/proc/{left}").exists()
        number = user.variables["DISPLAY"].removeprefix(":")
        assert Path(f"/tmp/.X11-unix/X{number}").exists()
    assert not Path(f"/proc/{left}").exists() or "Z" in Path(f"/proc/{left}/stat").read_text()
    assert not Path(f"/tmp/.X11-unix/X{number}").exists()
    assert not Path(user.variables["XDG_RUNTIME_DIR"]).exists()
