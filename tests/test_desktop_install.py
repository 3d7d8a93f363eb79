"""`scriptrun desktop install`, `uninstall` and `status`, as `gio` and `xdg-mime` see it."""

from __future__ import annotations

import shutil
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


TOUCHED = """\
# mine
[Added Associations]
text/x-python=editor.desktop
[Default Applications]
 x/y = \t caf\u00e9.desktop

[Removed Associations]
a/b=c.desktop;"""
"""A list as people write it: comments, blanks, no line end at the end."""


def lived_in(desktop: DesktopHome) -> None:
    """Fill a home with all that installing touches: a list, types, entries and icons of its user's own."""
    home = desktop.user.home
    (home / ".config").mkdir()
    (home / ".config/mimeapps.list").write_text(TOUCHED)
    (home / ".config/mimeapps.list").chmod(0o640)
    packages = home / ".local/share/mime/packages"
    packages.mkdir(parents=True)
    (packages / "own.xml").write_text(
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">'
        '<mime-type type="text/x-own"><glob pattern="*.own"/></mime-type></mime-info>'
    )
    assert desktop.user.run("update-mime-database", packages.parent).status == 0
    desktop.application("own", "text/x-own", "text/x-python", directory=home / ".local/share/applications")
    (home / ".local/share/icons/hicolor/scalable/apps").mkdir(parents=True)


@pytest.mark.parametrize("option", [(), ("--default",)])
def test_uninstall_restores_each_byte(desktop: DesktopHome, option: tuple[str, ...]) -> None:
    """Lists, databases, directories and modes are what they were, also after it was installed twice."""
    lived_in(desktop)
    before = desktop_home.everything(desktop.user.home)
    desktop.scriptrun("install", *option, "-q")
    once = desktop_home.everything(desktop.user.home)
    desktop.scriptrun("install", *option, "-q")
    assert desktop_home.everything(desktop.user.home) == once
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before
    finished = desktop.user.run("scriptrun", "desktop", "uninstall")
    assert finished == (0, "", "scriptrun: note: nothing was installed\n")
    assert desktop_home.everything(desktop.user.home) == before


def test_the_way_back_goes_through_every_change_of_mind(desktop: DesktopHome) -> None:
    """Installed as the default, then not as the default, then not at all: the last word counts."""
    lived_in(desktop)
    before = desktop_home.everything(desktop.user.home)
    opened = []
    for words in (("install",), ("install", "--default"), ("install",)):
        desktop.scriptrun(*words, "-q")
        opened.append(desktop.gio_default(TYPE))
    desktop.scriptrun("uninstall", "-q")
    assert opened == ["editor.desktop", HANDLER, "editor.desktop"]
    assert desktop_home.everything(desktop.user.home) == before


def test_what_others_changed_meanwhile_stays(desktop: DesktopHome) -> None:
    """Another application, type and choice that came after stay; scriptrun's go, databases are made anew."""
    desktop.scriptrun("install", "--default", "-q")
    home = desktop.user.home
    desktop.application("painter", "image/png", directory=home / ".local/share/applications")
    assert desktop.user.run("gio", "mime", "image/png", "painter.desktop").status == 0
    assert desktop.user.run("gio", "mime", PYTHON, HANDLER).status == 0  # dangling, were it to stay
    packages = home / ".local/share/mime/packages"
    (packages / "own.xml").write_text(
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">'
        '<mime-type type="text/x-own"><glob pattern="*.own"/></mime-type></mime-info>'
    )
    assert desktop.user.run("update-mime-database", packages.parent).status == 0
    desktop.scriptrun("uninstall", "-q")
    left = desktop_home.everything(home)
    assert [path for path in left if "scriptrun" in path] == []
    text = (home / ".config/mimeapps.list").read_text()
    assert ("image/png=painter.desktop" in text, "scriptrun" in text) == (True, False)
    assert (home / ".local/share/applications/mimeinfo.cache").read_text() == (
        "[MIME Cache]\nimage/png=painter.desktop;\n"
    )
    assert b"x-scriptrun" not in (home / ".local/share/mime/mime.cache").read_bytes()
    assert desktop.types(desktop.user.write("file.own", "x")) == ["text/x-own"]
    assert desktop.gio_default(PYTHON) == "editor.desktop"


@pytest.mark.parametrize("tool", ["update-mime-database", "update-desktop-database"])
def test_what_dies_half_way_can_be_taken_back(desktop: DesktopHome, tool: str) -> None:
    """Killed while it installs, it leaves what `uninstall` restores."""
    lived_in(desktop)
    before = desktop_home.everything(desktop.user.home)
    killer = desktop.user.write(f"bin/{tool}", '#!/bin/sh\nkill -KILL "$PPID"\n', executable=True)
    path = f"{killer.parent}:{desktop.user.variables['PATH']}"
    assert desktop.user.run("scriptrun", "desktop", "install", "--default", PATH=path).status == -9
    assert desktop_home.everything(desktop.user.home) != before
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before


def test_what_fails_leaves_all_as_it_was(desktop: DesktopHome) -> None:
    """A tool that fails is named with what it said, and nothing is changed."""
    lived_in(desktop)
    before = desktop_home.everything(desktop.user.home)
    failing = desktop.user.write("bin/update-desktop-database", "#!/bin/sh\necho broken >&2\nexit 3\n", executable=True)
    path = f"{failing.parent}:{desktop.user.variables['PATH']}"
    finished = desktop.user.run("scriptrun", "desktop", "install", "--default", PATH=path)
    directory = desktop.user.home / ".local/share/applications"
    assert finished == (
        125,
        "",
        f"scriptrun: error: `update-desktop-database {directory}` failed with status 3\n  broken\n",
    )
    assert desktop_home.everything(desktop.user.home) == before


@pytest.mark.parametrize(
    ("tool", "package"),
    [("update-mime-database", "shared-mime-info"), ("update-desktop-database", "desktop-file-utils")],
)
def test_a_missing_tool_is_named_with_its_package(desktop: DesktopHome, tool: str, package: str) -> None:
    """Where the desktop's own tools are not there, nothing is changed, and what to install is said."""
    before = desktop_home.everything(desktop.user.home)
    programs = desktop.user.directory / "programs"
    programs.mkdir()
    scriptrun = Path(desktop.user.variables["PATH"].split(":")[0], "scriptrun")
    for program in {"/usr/bin/update-mime-database", "/usr/bin/update-desktop-database"} - {f"/usr/bin/{tool}"}:
        (programs / Path(program).name).symlink_to(program)
    finished = desktop.user.run(scriptrun, "desktop", "install", PATH=str(programs))
    assert finished.status == 2
    assert f"the program `{tool}` is not there" in finished.err
    assert f"apt-get install {package}" in finished.err
    assert desktop_home.everything(desktop.user.home) == before


def test_directories_of_the_specification_are_honoured(desktop: DesktopHome) -> None:
    """What XDG_DATA_HOME, XDG_CONFIG_HOME and XDG_STATE_HOME name is used, and nothing else."""
    home = desktop.user.home
    before = desktop_home.everything(home)
    roots = {name: str(home.parent / "xdg" / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    desktop.user.variables.update(roots)
    desktop.scriptrun("install", "--default", "-q")
    assert desktop_home.everything(home) == before
    assert opened_by_everything(desktop, TYPE) == {HANDLER}
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(home.parent / "xdg") == {}


@pytest.mark.parametrize("content", [TOUCHED, None])
def test_a_list_that_is_a_link_stays_one(desktop: DesktopHome, content: str | None) -> None:
    """Who keeps the list elsewhere has it changed and restored there; where it is not yet, it is made and removed."""
    target = desktop.user.write("dotfiles/mimeapps.list", content or "")
    if content is None:
        target.unlink()
    (desktop.user.home / ".config").mkdir()
    (desktop.user.home / ".config/mimeapps.list").symlink_to(target)
    before = desktop_home.everything(desktop.user.home)
    desktop.scriptrun("install", "--default", "-q")
    assert f"{TYPE}={HANDLER}" in target.read_text()
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before
    assert (target.read_text() if target.exists() else None) == content


def test_a_lost_journal_is_no_obstacle(desktop: DesktopHome) -> None:
    """Where what was noted has gone, `status` says so, and `uninstall` removes what is scriptrun's."""
    desktop.scriptrun("install", "--default", "-q")
    shutil.rmtree(desktop.user.home / ".local/state")
    assert desktop.status()["user"]["wrong"] == ["only a part of it is there"]
    desktop.scriptrun("uninstall", "-q")
    assert [path for path in desktop_home.everything(desktop.user.home) if "scriptrun" in path] == []
    assert "scriptrun" not in (desktop.user.home / ".config/mimeapps.list").read_text()
    assert desktop.status()["user"] == {"installed": False, "program": None, "type-known": False, "wrong": []}
    assert desktop.gio_default(PYTHON) == "editor.desktop"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 0}', '{"format": 1, "directories": [], "files": {"a": 1}}', "\0\xff"]
)
def test_a_damaged_journal_is_as_good_as_lost(desktop: DesktopHome, content: str) -> None:
    """After a power failure, or another scriptrun, both `install` and `uninstall` still do what they are for."""
    desktop.scriptrun("install", "--default", "-q")
    journal = desktop.user.home / ".local/state/scriptrun/registration/journal.json"
    journal.write_text(content, encoding="latin-1")
    desktop.scriptrun("install", "-q")
    assert desktop.gio_default(TYPE) == "editor.desktop"
    journal.write_text(content, encoding="latin-1")
    desktop.scriptrun("uninstall", "-q")
    assert [path for path in desktop_home.everything(desktop.user.home) if "scriptrun" in path] == []
    assert desktop.gio_default(PYTHON) == "editor.desktop"


def test_what_others_call_scriptrun_stays(desktop: DesktopHome) -> None:
    """Files of the user's own that have the names of scriptrun's are neither taken away nor lost."""
    data = desktop.user.home / ".local/share"
    desktop.application("scriptrun", "text/x-own", directory=data / "applications")
    icon = data / "icons/hicolor/scalable/apps/scriptrun.svg"
    icon.parent.mkdir(parents=True)
    icon.write_text("<svg/>")
    before = desktop_home.everything(desktop.user.home)
    finished = desktop.user.run("scriptrun", "desktop", "uninstall")
    assert finished == (0, "", "scriptrun: note: nothing was installed\n")
    assert desktop_home.everything(desktop.user.home) == before
    desktop.scriptrun("install", "-q")
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before


def test_what_cannot_be_written_is_named(desktop: DesktopHome) -> None:
    """Something else in the place of the journal's directory is told with its path."""
    state = desktop.user.write("state", "")
    finished = desktop.user.run("scriptrun", "desktop", "install", XDG_STATE_HOME=str(state))
    assert finished.status == 125
    assert finished.err.startswith("scriptrun: error: what opens scripts cannot be changed: ")
    assert str(state) in finished.err


def test_where_nothing_opens_python_files_nothing_new_does(user: User) -> None:
    """Without an editor a Python file still opens with nothing, and scripts with scriptrun, which alone knows them."""
    desktop_home.require()
    desktop = DesktopHome(user)
    desktop.scriptrun("install", "-q")
    assert opened_by_everything(desktop, PYTHON) == {None}
    assert opened_by_everything(desktop, TYPE) == {HANDLER}


def test_an_entry_is_valid(desktop: DesktopHome) -> None:
    """`desktop-file-validate` finds nothing in the entry; its icon and that of the type are there."""
    desktop.scriptrun("install", "-q")
    data = desktop.user.home / ".local/share"
    finished = desktop.user.run("desktop-file-validate", data / "applications" / HANDLER)
    assert finished == (0, "", "")
    assert (data / "icons/hicolor/scalable/apps/scriptrun.svg").read_text().startswith("<svg")
    assert (data / "icons/hicolor/scalable/mimetypes/application-x-scriptrun.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("option", [(), ("--default",)])
def test_each_desktop_keeps_its_own_editor(desktop: DesktopHome, option: tuple[str, ...]) -> None:
    """A desktop whose own list names another editor for text opens Python files with that one, as before."""
    desktop.application("notes", "text/x-notes")
    (desktop.machine / "applications/xfce-mimeapps.list").write_text(
        "[Default Applications]\ntext/plain=notes.desktop\n"
    )
    before = desktop_home.everything(desktop.user.home)
    desktop.scriptrun("install", *option, "-q")
    for name, editor in (("XFCE", "notes.desktop"), ("ubuntu:GNOME", "editor.desktop")):
        assert desktop.gio_default(PYTHON, XDG_CURRENT_DESKTOP=name) == editor
        assert desktop.gio_default(TYPE, XDG_CURRENT_DESKTOP=name) == (HANDLER if option else editor)
        assert desktop.status(XDG_CURRENT_DESKTOP=name)["python"]["opens-with"] == editor
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before


def test_a_list_of_the_desktop_that_overrules_is_told_of(desktop: DesktopHome) -> None:
    """Where a desktop's own list has another application for scripts, `install` warns, and `status` agrees."""
    (desktop.user.home / ".config").mkdir()
    (desktop.user.home / ".config/lxde-mimeapps.list").write_text(f"[Default Applications]\n{TYPE}=editor.desktop\n")
    finished = desktop.user.run("scriptrun", "desktop", "install", "--default", "-q", XDG_CURRENT_DESKTOP="LXDE")
    assert (finished.status, finished.err.count("warning"), "editor.desktop" in finished.err) == (0, 1, True)
    assert desktop.gio_default(TYPE, XDG_CURRENT_DESKTOP="LXDE") == "editor.desktop"
    assert desktop.status(XDG_CURRENT_DESKTOP="LXDE")["scripts"]["opens-with"] == "editor.desktop"


def test_two_at_once_are_one(desktop: DesktopHome) -> None:
    """Who installs while another one does waits; one `uninstall` restores everything."""
    lived_in(desktop)
    before = desktop_home.everything(desktop.user.home)
    both = desktop.user.run("sh", "-c", "scriptrun desktop install -q & scriptrun desktop install -q --default; wait")
    assert both == (0, "", "")
    desktop.scriptrun("uninstall", "-q")
    assert desktop_home.everything(desktop.user.home) == before


def test_status_is_for_people_too(desktop: DesktopHome) -> None:
    """The table names applications as people know them, and says where a program has gone."""
    assert desktop.status()["scripts"] == {"type": PYTHON, "opens-with": "editor.desktop"}
    desktop.scriptrun("install", "--default", "-q")
    program = Path(desktop.user.variables["PATH"].split(":")[0], "scriptrun")
    lines = desktop.user.run("scriptrun", "desktop", "status").out.splitlines()
    assert lines[:3] == [
        f"scripts open with             Run Script ({HANDLER})",
        "other Python files open with  Editor (editor.desktop)",
        f"for you                       {program}",
    ]
    entry = desktop.user.home / ".local/share/applications" / HANDLER
    entry.write_text(entry.read_text().replace(str(program), "/nonexistent/scriptrun"))
    assert desktop.status()["user"]["wrong"] == ["`/nonexistent/scriptrun` is not there any more"]
    assert desktop.status()["scripts"]["opens-with"] == desktop.gio_default(TYPE) == "editor.desktop"
