"""Somebody with a fresh desktop follows docs/desktop.md word for word, from the installation to the double click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support import desktop_home, folder, pages
from support.desktop import Desktop
from support.index import Index, wheel
from support.user import User

pytestmark = pytest.mark.slow

PAGE = "docs/desktop.md"
WHEELS = str(pages.ROOT / ".work/wheels")
"""Where pip finds what scriptrun needs; what scripts need comes from the index."""

HUMANIZE = """\
def naturalsize(value):
    return f"{value} Bytes" if value < 1000 else f"{value / 10**6:.1f} MB"
"""
"""As much of that distribution as the script of the page uses."""


@pytest.fixture
def desktop(user: User, index: Index) -> Iterator[Desktop]:
    """A desktop of somebody who has an editor, a clone of the project, and no scriptrun."""
    desktop_home.require()
    user.variables.update(PATH="/usr/bin:/bin", PIP_INDEX_URL=index.url, XDG_CURRENT_DESKTOP="XFCE")
    index.add(wheel("humanize", "4.9.0", files={"humanize.py": HUMANIZE}))
    folder.give_editor(user, "vim")
    pages.clone(user.directory)
    with desktops.start(user) as started:
        yield started


def follow(user: User, title: str) -> None:
    """Do what a section says; everything that it shows must be what is written, in this home."""
    for step in pages.steps(pages.section(PAGE, title)):
        finished = user.run("sh", "-c", step.command, PIP_NO_INDEX="1", PIP_FIND_LINKS=WHEELS)
        expected = step.shown.replace("/home/ada", str(user.home))
        assert (finished.status, finished.out + finished.err) == (0, expected), step.command


def save(directory: Path) -> None:
    """Save the script of the page with a photo beside it."""
    directory.mkdir()
    (script,) = pages.blocks(pages.section(PAGE, "Open a script by a double click"), "python")
    (directory / "sizes.py").write_text(script)
    with (directory / "photo.jpg").open("wb") as photo:
        photo.truncate(2_100_000)


def associated(home: Path) -> dict[str, str]:
    """Return all files of a home that have to do with what opens what; programs of the desktop write others."""
    places = (".config/mimeapps.list", *(f".local/share/{name}" for name in ("applications", "icons", "mime")))
    return {name: file for name, file in desktop_home.everything(home).items() if name.startswith(places)}


def test_the_page_leads_to_a_script_that_opens_by_a_double_click(desktop: Desktop) -> None:
    """What the page shows is what is seen, in the terminal that Debian chose; in the end all is as before."""
    user = desktop.user
    before = associated(user.home)
    follow(user, "Install")
    save(user.home / "Scripts")
    with folder.show(desktop, "Thunar", user.home / "Scripts") as shown:
        desktop.picture("page-folder")
        shown.double_click("sizes.py")
        terminal = desktop.window("^sizes.py$", of="(?i)term")
        desktop.find("Press any key", terminal)
        desktop.picture("page-terminal")
        (screen,) = pages.blocks(pages.section(PAGE, "Open a script by a double click"), "text")
        for part in re.split(r" in \d+\.\d s\n|\nscriptrun: ", screen):  # times differ; colons look like letters
            desktop.shows(part, terminal)
        desktop.key("space")
        desktop.closed(terminal)
    follow(user, "Take it out again")
    assert associated(user.home) == before
