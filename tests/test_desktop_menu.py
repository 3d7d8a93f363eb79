"""Entries of scripts on a real desktop: double-clicked in two file managers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support import desktop_home, folder, watch
from support import user as users
from support.desktop import Desktop

SCRIPT = """\
# /// script
# [tool.scriptrun]
# gui = true
# ///
import os, sys
open({fifo!r}, 'w').write('\\0'.join([os.getcwd(), *sys.argv]))
"""


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory, command: Path) -> Iterator[Desktop]:
    """A desktop where nothing but entries are."""
    desktop_home.require()
    user = users.create(tmp_path_factory.mktemp("entries"), command, "http://127.0.0.1:9/")
    with desktops.start(user) as started:
        yield started


def add(desktop: Desktop, path: str, name: str) -> tuple[Path, Path]:
    """Put a script onto the desktop under a name, and return it and the FIFO to which it writes how it runs."""
    fifo = desktop.user.directory / name
    os.mkfifo(fifo)
    script = desktop.user.write(path, SCRIPT.format(fifo=str(fifo)))
    added = desktop.user.run("scriptrun", "desktop", "add", "--on-desktop", "--name", name, script)
    assert added.err == f"scriptrun: note: `{name}` is in the application menu and is on the desktop\n"
    return script, fifo


@pytest.mark.slow
def test_thunar(desktop: Desktop) -> None:
    """Thunar starts it at once, as it is marked as trusted.

    Thunar 4.18 does not undo the escapes of the characters that have two, such as `$`.
    """
    script, fifo = add(desktop, "a b/100% ; it's é #~&(x)?*.py", "Clicked")
    with folder.show(desktop, "Thunar", desktop.user.home / "Desktop") as shown:
        shown.double_click("Clicked.desktop")
        assert watch.receive(fifo).split("\0") == [str(script.parent), str(script)]


@pytest.mark.slow
def test_pcmanfm(desktop: Desktop) -> None:
    """PCManFM asks what to do with it, and executes it."""
    script, fifo = add(desktop, 'a b/100% ; "it\'s" `$HOME` é\\ #~&(x)?*\tnew\nline.py', "Executed")
    with folder.show(desktop, "pcmanfm", desktop.user.home / "Desktop") as shown:
        shown.double_click("Executed")
        desktop.window("Execute File")
        desktop.picture("entry-in-pcmanfm")
        desktop.key("alt+e")
        assert watch.receive(fifo).split("\0") == [str(script.parent), str(script)]
