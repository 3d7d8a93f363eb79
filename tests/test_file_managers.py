"""Scripts opened as people open them: in file managers on a real desktop, and by the programs that desktops ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support import desktop_home, folder, pages, watch
from support import index as indexes
from support import user as users
from support.desktop import Desktop, Point
from support.index import Index, wheel

SCRIPT = "{line}# /// script\n# [tool.scriptrun]\n# gui = true\n# ///\n{body}"
SHEBANG = "#!/usr/bin/env scriptrun\n"
TELL = "import os\nopen({fifo!r}, 'w').write(os.getcwd() + '\\n' + __file__)\n"
FILES = {"Letter.py": False, "Invoice.py": True, "Photos.pyw": False, "Budget": True, "Diary": False}
"""Scripts, and whether they are executable."""


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    """An index of this module's own."""
    with indexes.serve() as served:
        served.add(wheel("demo", "1.0"), wheel("demo", "2.0"))
        yield served


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory, command: Path, index: Index) -> Iterator[Desktop]:
    """A desktop where scriptrun opens scripts, an editor other Python files, and xterm is the terminal."""
    desktop_home.require()
    user = users.create(tmp_path_factory.mktemp("desktop"), command, index.url)
    user.variables.update(XDG_CURRENT_DESKTOP="XFCE", TERMINAL="xterm -fa Monospace -fs 13")
    os.mkfifo(user.home / "ran")
    folder.give_editor(user, "editor")
    finished = user.run("scriptrun", "desktop", "install", "--default")
    assert finished.err == "scriptrun: note: a double click on a script runs it; other Python files open as before\n"
    write(user.home / "Scripts", user.home / "ran")
    with desktops.start(user) as started:
        yield started


def write(directory: Path, fifo: Path) -> None:
    """Write scripts of each kind, and a Python file that is none."""
    directory.mkdir()
    tell = TELL.format(fifo=str(fifo))
    for name, executable in FILES.items():
        line = "" if name.endswith(".py") else SHEBANG
        (directory / name).write_text(SCRIPT.format(line=line, body=tell))
        (directory / name).chmod(0o755 if executable else 0o644)
    (directory / "Plain.py").write_text("import this\n")


def ran(desktop: Desktop) -> tuple[str, str]:
    """Wait for a script that tells which it is, and return its current directory and its path."""
    directory, path = watch.receive(desktop.user.home / "ran").split("\n")
    return directory, path


@pytest.mark.parametrize("manager", [pytest.param("pcmanfm", marks=pytest.mark.slow), "Thunar"])
def test_a_double_click_runs_a_script(desktop: Desktop, manager: str) -> None:
    """Executable or not, with an ending or without, it runs in its directory; another Python file is edited."""
    directory = desktop.user.home / "Scripts"
    with folder.show(desktop, manager, directory) as shown:
        for name in FILES:
            shown.double_click(name)
            assert ran(desktop) == (str(directory), str(directory / name))
        desktop.picture(f"files-{manager}")
        shown.double_click("Plain.py")
        assert watch.receive(desktop.user.home.parent / "editor.fifo") == str(directory / "Plain.py")
        assert len(desktop.windows()) == 1, "nothing else has opened"


@pytest.mark.slow
@pytest.mark.parametrize(("manager", "version"), [("pcmanfm", "1.0"), ("Thunar", "2.0")])
def test_a_first_double_click_shows_what_happens(desktop: Desktop, index: Index, manager: str, version: str) -> None:
    """A terminal opens at once and says what is prepared; the script runs, and a key closes it. Then it is ready."""
    directory = desktop.user.home / "Scripts"
    told = TELL.format(fifo=str(desktop.user.home / "ran")) + "import demo\nprint('demo', demo.V)\n"
    (directory / "Report.py").write_text(f"# /// script\n# dependencies = ['demo=={version}']\n# ///\n{told}")
    gate = watch.Gate(index)
    with folder.show(desktop, manager, directory) as shown:
        icon = shown.icon("Report.py")
        desktop.click(icon, times=2)
        terminal = desktop.window("^Report.py$", of="XTerm")
        gate.wait()
        desktop.shows("Preparing Report.py; this happens only once.", terminal)
        desktop.picture(f"first-run-{manager}")
        gate.open()
        assert ran(desktop) == (str(directory), str(directory / "Report.py"))
        desktop.find("Press any key", terminal)
        desktop.picture(f"first-run-over-{manager}")
        desktop.key("Return")
        desktop.closed(terminal)
        asked = len(index.requests)
        desktop.click(icon, times=2)
        ran(desktop)
        terminal = desktop.window("^Report.py$", of="XTerm")
        desktop.find(f"demo {version}", terminal)
        assert len(index.requests) == asked, "it was ready"
        desktop.find("Press any key", terminal)
        desktop.key("Return")
        desktop.closed(terminal)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opener", "current"), [("xdg-open", "XFCE"), ("xdg-open", "LXDE"), ("xdg-open", "GNOME"), ("gio open", None)]
)
def test_what_desktops_open_files_with(desktop: Desktop, opener: str, current: str | None) -> None:
    """`xdg-open` and `gio open` run a script in its directory, and open other Python files in the editor."""
    directory = desktop.user.home / "Scripts"
    for name in FILES:
        process = desktop.start(*opener.split(), directory / name, XDG_CURRENT_DESKTOP=current)
        assert ran(desktop) == (str(directory), str(directory / name))
        process.wait()
    process = desktop.start(*opener.split(), directory / "Plain.py", XDG_CURRENT_DESKTOP=current)
    assert watch.receive(desktop.user.home.parent / "editor.fifo") == str(directory / "Plain.py")
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("manager", "place", "icon"),
    [("pcmanfm", ".local/share/applications", "Run Script"), ("Thunar", "Desktop", "scriptrun.desktop")],
)
def test_a_script_that_is_dropped_on_the_icon_runs(desktop: Desktop, manager: str, place: str, icon: str) -> None:
    """The icon is among the applications, or has been put on the desktop, as docs/desktop.md shows."""
    home = desktop.user.home
    for command in pages.steps(pages.section("docs/desktop.md", "Open a script by a double click")):
        finished = desktop.user.run("sh", "-c", command.command)
        assert (finished.status, finished.err) == (0, "")
    with (
        folder.show(desktop, manager, home / "Scripts") as scripts,
        folder.show(desktop, manager, home / place) as other,
    ):
        desktop.move(scripts.window, Point(0, 0))
        desktop.move(other.window, Point(640, 200))
        start = scripts.icon("Letter.py")
        desktop.picture(f"before-drop-{manager}")
        end = other.icon(icon)
        desktop.drag(start, end)
        assert ran(desktop) == (str(home / "Scripts"), str(home / "Scripts/Letter.py"))
