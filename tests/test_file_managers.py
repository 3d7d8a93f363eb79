"""Scripts opened as people open them: in file managers on a real desktop, and by the programs that desktops ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support import desktop_home, folder, watch
from support import index as indexes
from support import user as users
from support.desktop import Desktop
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
        served.add(wheel("demo", "1.0"))
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
    tell += "import demo\nprint('demo', demo.V)\n"
    (directory / "Report.py").write_text(f"# /// script\n# dependencies = ['demo']\n# ///\n{tell}")


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
        assert watch.receive(desktop.user.home / "editor.fifo") == str(directory / "Plain.py")
        assert len(desktop.windows()) == 1, "nothing else has opened"
