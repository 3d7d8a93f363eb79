"""Which application opens what: the same as GIO says, whatever lists there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import desktop_home
from support.desktop_home import DesktopHome
from support.user import User

from scriptrun.desktop.freedesktop import associations

PYTHON = "text/x-python"

HOME, XDG, DATA, OWN = ".config/{}", "machine/xdg/{}", "machine/applications/{}", ".local/share/applications/{}"


def in_default(application: str, type_: str = PYTHON) -> str:
    """Return a list that has a default."""
    return f"[Default Applications]\n{type_}={application};\n"


def added(application: str, type_: str = PYTHON) -> str:
    """Return a list that has one more application for a type."""
    return f"[Added Associations]\n{type_}={application};\n"


def removed(application: str, type_: str = PYTHON) -> str:
    """Return a list that has an application for a type no more."""
    return f"[Removed Associations]\n{type_}={application};\n"


CASES: dict[str, dict[str, str]] = {
    "nothing": {},
    "user's default": {HOME: in_default("b.desktop")},
    "machine's default": {XDG: in_default("b.desktop")},
    "user before machine": {HOME: in_default("a.desktop"), XDG: in_default("b.desktop")},
    "data's default": {DATA: in_default("b.desktop")},
    "a default before what is added": {HOME: added("b.desktop"), XDG: in_default("a.desktop")},
    "added": {HOME: added("b.desktop")},
    "added for text": {HOME: added("b.desktop", "text/plain")},
    "default for text": {HOME: in_default("b.desktop", "text/plain")},
    "default for text loses to added": {HOME: in_default("b.desktop", "text/plain") + added("a.desktop")},
    "not installed": {HOME: in_default("nobody.desktop;b.desktop")},
    "no such program": {HOME: in_default("broken.desktop;b.desktop")},
    "hidden": {HOME: in_default("hidden.desktop;b.desktop")},
    "in a directory": {HOME: in_default("vendor-sub-deep.desktop")},
    "removed": {HOME: removed("text.desktop", "text/plain")},
    "removed by the user, added by the machine": {HOME: removed("b.desktop"), XDG: added("b.desktop")},
    "added by the user, removed by the machine": {HOME: added("b.desktop"), XDG: removed("b.desktop")},
    "own entries first": {OWN: added("b.desktop"), DATA: added("a.desktop")},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, command: Path) -> DesktopHome:
    """A desktop with applications of all kinds; one opens text."""
    desktop_home.require()
    root = tmp_path_factory.mktemp("associations")
    home = root / "home"
    home.mkdir()
    (root / "work").mkdir()
    user = User(home, root / "work", {"HOME": str(home), "PATH": f"{command.parent}:/usr/bin:/bin", "LANG": "C.UTF-8"})
    desktop = DesktopHome(user)
    desktop.application("text", "text/plain")
    for name in ("a", "b"):
        desktop.application(name, f"text/x-{name}")
    directory = desktop.machine / "applications"
    (directory / "broken.desktop").write_text("[Desktop Entry]\nType=Application\nName=B\nExec=/nonexistent %f\n")
    (directory / "hidden.desktop").write_text("[Desktop Entry]\nType=Application\nName=H\nExec=true\nHidden=true\n")
    (directory / "vendor/sub").mkdir(parents=True)
    (directory / "vendor/sub/deep.desktop").write_text("[Desktop Entry]\nType=Application\nName=D\nExec=true %f\n")
    return desktop


@pytest.mark.parametrize("desktops", ["", "Own:Other"])
@pytest.mark.parametrize("case", CASES)
def test_the_default_is_that_of_gio(base: DesktopHome, case: str, desktops: str) -> None:
    """Lists of user, machine and desktop, entries that cannot be started, types with parents: all as GIO has it."""
    name = f"{desktops.partition(':')[0].lower()}-mimeapps.list" if desktops else "mimeapps.list"
    root = base.user.home.parent
    paths = {
        (root if "machine" in place else base.user.home) / place.format(name): CASES[case][place]
        for place in CASES[case]
    }
    for path, content in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    try:
        variables = base.user.environment({"XDG_CURRENT_DESKTOP": desktops})
        session = associations.of_user(variables)
        types = [PYTHON, "text/x-python3", "text/plain", "application/x-unknown"]
        mine = {type_: associations.default(session, type_) or None for type_ in types}
        assert mine == {type_: base.gio_default(type_, XDG_CURRENT_DESKTOP=desktops) for type_ in types}
    finally:
        for path in paths:
            path.unlink()
