"""`scriptrun desktop install`, `uninstall` and `status`, as `gio` and `xdg-mime` see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import desktop_home
from support.desktop_home import HANDLER, TYPE, DesktopHome
from support.user import User

PYTHON = "text/x-python"


@pytest.fixture
def desktop(user: User) -> DesktopHome:
    """A desktop with an editor, which is there for text and so for Python files, too."""
    desktop_home.require()
    home = DesktopHome(user)
    home.application("editor", "text/plain")
    return home


def files_of(user: User) -> tuple[Path, Path]:
    """Return a script, and a Python file that is none."""
    return user.script("script.py"), user.write("plain.py", "import sys\nprint(1)\n")


def opened_by_everything(desktop: DesktopHome, type_: str) -> set[str | None]:
    """Return what GIO, `xdg-mime` and `scriptrun desktop status` say that opens a type: one name where they agree."""
    status = desktop.status()
    (mine,) = (status[key]["opens-with"] for key in ("scripts", "python") if status[key]["type"] == type_)
    return {desktop.gio_default(type_), desktop.xdg_default(type_), mine}


def test_the_default_opens_scripts_and_no_other_python_files(desktop: DesktopHome) -> None:
    """With `--default` all say that scriptrun opens scripts; a Python file is what it was, and opens with the same."""
    script, plain = files_of(desktop.user)
    assert desktop.types(script, plain) == [PYTHON, PYTHON]
    desktop.scriptrun("install", "--default", "-q")
    assert desktop.types(script, plain) == [TYPE, PYTHON]
    assert opened_by_everything(desktop, TYPE) == {HANDLER}
    assert opened_by_everything(desktop, PYTHON) == {"editor.desktop"}


def test_without_the_default_all_opens_as_before(desktop: DesktopHome) -> None:
    """Scripts open with what opens Python files, and both are offered scriptrun."""
    desktop.scriptrun("install", "-q")
    for type_ in (TYPE, PYTHON):
        assert opened_by_everything(desktop, type_) == {"editor.desktop"}
        assert sorted(desktop.gio_offers(type_)) == ["editor.desktop", HANDLER]


@pytest.mark.parametrize("option", [(), ("--default",)])
def test_uninstall_leaves_nothing_in_an_empty_home(desktop: DesktopHome, option: tuple[str, ...]) -> None:
    """Every file and directory that was not there is gone."""
    before = desktop_home.everything(desktop.user.home)
    desktop.scriptrun("install", *option, "-q")
    assert desktop_home.everything(desktop.user.home) != before
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before
