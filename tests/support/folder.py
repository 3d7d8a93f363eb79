"""Folders as people see them: in a window of a file manager, with icons to click at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.desktop import Desktop, Point
from support.user import User

MANAGERS = {"pcmanfm": ("pcmanfm", "--no-desktop", "--new-win"), "Thunar": ("thunar",)}
"""What the tests call file managers (as their windows do), and how they are started."""

TYPES = "MimeType=text/plain;text/x-python;\n"


@dataclass
class Folder:
    """A folder in a window."""

    desktop: Desktop
    window: str
    manager: int
    """The process that shows it."""

    def icon(self, name: str) -> Point:
        """Wait until the name of a file is shown, and return where its icon is: above."""
        at = self.desktop.find(name, self.window)
        return Point(at.x, at.y - 35)

    def double_click(self, name: str) -> None:
        """Click twice at the icon of a file, as people do."""
        self.desktop.click(self.icon(name), times=2)


@contextmanager
def show(desktop: Desktop, manager: str, directory: Path, *around: str, **variables: str) -> Iterator[Folder]:
    """Show a directory in a file manager, which `around` starts where it is given; both end with the block."""
    process = desktop.start(*around, *MANAGERS[manager], directory, **variables)
    window = desktop.window(f"^{directory.name}( - Thunar)?$", of=f"(?i){manager}")
    try:
        yield Folder(desktop, window, process.pid)
    finally:
        process.terminate()
        process.wait()


def give_editor(user: User, name: str) -> Path:
    """Make `name` what opens Python files and texts of this user, and return the FIFO to which it writes which."""
    fifo = user.home.parent / f"{name}.fifo"  # no file of a home: all of that may be read
    os.mkfifo(fifo)
    program = user.home / "bin" / name
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >{fifo}\n')
    program.chmod(0o755)
    entry = user.home / f".local/share/applications/{name}.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text(f"[Desktop Entry]\nType=Application\nName={name.title()}\nExec={program} %f\n{TYPES}")
    chosen = user.home / ".config/mimeapps.list"
    chosen.parent.mkdir()
    chosen.write_text(f"[Default Applications]\ntext/plain={name}.desktop\ntext/x-python={name}.desktop\n")
    assert user.run("update-desktop-database", entry.parent).status == 0
    return fifo
