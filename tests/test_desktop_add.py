"""`scriptrun desktop add` and `remove`: entries of scripts in the menu, on the desktop and at login."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from support import entries, watch
from support.user import LIMIT, Finished, User

import scriptrun
from scriptrun.desktop.freedesktop import categories, entry, menu

ODD = 'a b/100% ; "it\'s" `$HOME` é\\ #~&(x)\tnew\nline.py'
"""A path with what shells, entries and file managers give a meaning."""

PLACES = (".local/share/applications", "Desktop", ".config/autostart")
TABLE = "[tool.scriptrun.desktop]"


def add(user: User, script: str | Path, *options: str) -> Finished:
    """Add an entry, which must succeed."""
    finished = user.run("scriptrun", "desktop", "add", *options, script)
    assert finished.status == 0, finished.err
    return finished


def plain(user: User, name: str, *lines: str, body: str = "") -> Path:
    """Write a script that needs nothing, with these lines in its block."""
    return user.write(name, "# /// script\n" + "".join(f"# {line}\n" for line in lines) + f"# ///\n{body}")


def files(user: User) -> list[Path]:
    """Return the files that are entries, those of the menu first."""
    return [path for place in PLACES for path in sorted((user.home / place).glob("*.desktop"))]


def keys(path: Path) -> dict[str, str]:
    """Return the keys of an entry."""
    return entry.read(path.read_text("utf-8"))


def words(user: User, script: Path) -> list[str]:
    """Return the words of `Exec` of a script's only entry, behind the program."""
    add(user, script)
    (path,) = files(user)
    return keys(path)["Exec"].split()[1:3]


def test_entry(user: User, command: Path) -> None:
    """It shows the script under a name made of its file's, passes the desktop's own check, and nothing is prepared."""
    script = user.script("my_daily-report.py", "demo")
    finished = add(user, script.name)
    assert finished[1:] == ("", "scriptrun: note: `My daily report` is in the application menu\n")
    (path,) = files(user)
    assert user.home / PLACES[0] == path.parent
    assert keys(path) == {
        "Type": "Application",
        "X-Scriptrun-Script": str(script),
        "Name": "My daily report",
        "Exec": f"{command}-attend new-terminal auto {script} %F",
        "Icon": str(Path(scriptrun.__file__).parent / "desktop/icons/scriptrun.svg"),
        "Terminal": "false",
        "Categories": "Utility;",
    }
    assert entries.validated(path) == ""
    assert user.environments() == []


def test_entry_of_a_table(user: User) -> None:
    """Name, icon and categories are those of the block; the command line counts before it."""
    icon = user.write("chart.png", b"")
    table = (TABLE, 'name = "Sales; {all} \\\\ of \\"us\\""', 'icon = "chart.png"', 'categories = ["Office", "X-Ours"]')
    script = plain(user, "s.py", *table)
    add(user, script)
    (path,) = files(user)
    shown = keys(path)
    assert ('Sales; {all} \\ of "us"', str(icon), "Office;X-Ours;") == (
        shown["Name"],
        shown["Icon"],
        shown["Categories"],
    )
    assert entries.validated(path) == ""
    add(user, script, "--name", "Mine", "--icon", "printer", "-q")
    assert (keys(path)["Name"], keys(path)["Icon"]) == ("Mine", "printer")
    add(user, script, "--icon", "chart.png")
    assert str(icon) == keys(path)["Icon"]


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("a.py", (), ["new-terminal", "auto"]),
        ("a.pyw", (), ["window", "auto"]),
        ("a.py", ("[tool.scriptrun]", "gui = true"), ["window", "auto"]),
        ("a.pyw", (TABLE, "terminal = true", "keep-open = true"), ["new-terminal", "always"]),
        ("a.py", (TABLE, "keep-open = false"), ["new-terminal", "never"]),
    ],
)
def test_how_it_runs(user: User, name: str, lines: tuple[str, ...], expected: list[str]) -> None:
    """The entry says whether the script gets a terminal, and whether that stays open."""
    assert expected == words(user, plain(user, name, *lines))


def test_categories(user: User) -> None:
    """A category that menus do not know is warned of and left out; what the specification wants besides is added."""
    script = plain(user, "s.py", TABLE, 'categories = ["Ofice", "Audio", "Zzz"]')
    warnings = [line for line in add(user, script).err.splitlines() if "warning" in line]
    assert [
        f"scriptrun: warning: {script}: menus know no category `Ofice`, which is left out; did you mean `Office`?",
        f"scriptrun: warning: {script}: menus know no category `Zzz`, which is left out",
    ] == warnings
    (path,) = files(user)
    assert keys(path)["Categories"] == "Audio;AudioVideo;"
    assert entries.validated(path) == ""
    assert [line for line in add(user, script, "-q").err.splitlines() if "warning" in line] == []


def test_every_category_is_registered(tmp_path: Path) -> None:
    """The desktop's own check knows every category that is not warned of."""
    known = sorted(one for one in categories.registered() if one != "Audio")
    path = tmp_path / "all.desktop"
    path.write_text(entry.text({"Type": "Application", "Name": "x", "Exec": "/bin/true", "Categories": known}))
    assert entries.validated(path) == ""


def test_icon_of_scriptrun(user: User) -> None:
    """Once the desktop knows scriptrun's icon, an entry has that by its name, and else the file that is there."""
    script = plain(user, "s.py")
    add(user, script)
    (path,) = files(user)
    assert b"<svg" in Path(keys(path)["Icon"]).read_bytes()
    assert user.run("scriptrun", "desktop", "install").status == 0
    add(user, script)
    assert keys(path)["Icon"] == "scriptrun"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my_daily-report.py", "My daily report"),
        ("Ärger.pyw", "Ärger"),
        ("v1.2.py", "V1.2"),
        ("___.py", "___"),
        ("a\n b", "A b"),
    ],
)
def test_name_of_a_file(name: str, expected: str) -> None:
    """A script without a name is called what its file is called, as people write it."""
    assert menu.readable(f"/srv/{name}") == expected


def test_marked_as_trusted(user: User) -> None:
    """In a session, GNOME and Xfce are told that the user wants what is on the desktop; nothing is to be said."""
    script = plain(user, "s.py")
    user.variables.update(XDG_RUNTIME_DIR=str(user.home), GVFS_DISABLE_FUSE="1")
    lines = f"scriptrun desktop add --on-desktop '{script}' && gio info -a 'metadata::*' ~/Desktop/S.desktop"
    finished = user.run("dbus-run-session", "--", "sh", "-c", lines)
    told = [line for line in finished.err.splitlines() if line.startswith("scriptrun:")]
    assert told == ["scriptrun: note: `S` is in the application menu and is on the desktop"]
    digest = hashlib.sha256(files(user)[1].read_bytes()).hexdigest()
    marks = [line.strip() for line in finished.out.splitlines() if "metadata::" in line]
    assert marks == ["metadata::trusted: true", f"metadata::xfce-exe-checksum: {digest}"]


def test_not_marked_as_trusted(user: User) -> None:
    """Without a session that is not possible, and the user is told that the desktop may ask."""
    finished = add(user, plain(user, "s.py"), "--on-desktop")
    name = files(user)[1].name
    assert f"note: the desktop may ask at the first start whether `{name}` may be launched\n" in finished.err


def test_status(user: User) -> None:
    """`scriptrun desktop status` lists the entries, and says which scripts have gone."""
    scripts = plain(user, "here.py"), plain(user, "gone.py")
    for script in scripts:
        add(user, script)
    scripts[1].unlink()
    lines = user.run("scriptrun", "desktop", "status").out.splitlines()
    assert [line for line in lines if line.startswith("entry")] == [
        f"entry (menu)                  Gone: {scripts[1]}, which has gone",
        f"entry (menu)                  Here: {scripts[0]}",
    ]
    found = json.loads(user.run("scriptrun", "desktop", "status", "--json").out)["entries"]
    paths = [str(path) for path in files(user)]
    assert found == [
        {"name": "Gone", "where": "menu", "script": str(scripts[1]), "there": False, "file": paths[0]},
        {"name": "Here", "where": "menu", "script": str(scripts[0]), "there": True, "file": paths[1]},
    ]


def test_everywhere(user: User) -> None:
    """On the desktop and at login there are the same entries; the one on the desktop may be started."""
    script = plain(user, "s.py")
    finished = add(user, script, "--on-desktop", "--autostart")
    assert "`S` is in the application menu and is on the desktop and starts when you log in\n" in finished.err
    found = files(user)
    assert [user.home / place for place in PLACES] == [path.parent for path in found]
    assert len({path.read_bytes() for path in found}) == 1
    assert [path.name.startswith("scriptrun-s-") for path in found] == [True, False, True]
    assert found[1].name == "S.desktop"
    assert [os.access(path, os.X_OK) or path.stat().st_mode & 0o100 != 0 for path in found] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("My / Report", "My - Report"), ("..", "scriptrun-s-"), ("Taken", "scriptrun-s-"), ("é" * 99, "é" * 60)],
)
def test_name_on_the_desktop(user: User, name: str, expected: str) -> None:
    """The file there has the entry's name, as far as a file can, for file managers that show nothing else."""
    taken = user.home / "Desktop" / "Taken.desktop"
    taken.parent.mkdir()
    taken.touch()
    add(user, plain(user, "s.py"), "--on-desktop", "--name", name)
    (path,) = (path for path in taken.parent.iterdir() if path != taken)
    assert path.stem.startswith(expected)
    assert taken.read_bytes() == b""


def test_added_again(user: User) -> None:
    """A second time brings every entry of the script up to date, and makes no second one of any."""
    script = plain(user, "s.py", TABLE, 'name = "Old"')
    other = plain(user, "other/s.py")
    add(user, script, "--on-desktop")
    add(user, other)
    renamed = user.home / "Desktop" / "renamed by hand.desktop"
    next((user.home / "Desktop").iterdir()).rename(renamed)
    plain(user, "s.py", TABLE, 'name = "New"')
    add(user, "./other/../s.py", "--on-desktop", "--autostart")
    assert sorted(keys(path)["Name"] for path in files(user)) == ["New", "New", "New", "S"]
    assert [renamed] == list((user.home / "Desktop").iterdir())


def test_removed(user: User) -> None:
    """All entries of a script go, also when it has gone itself, and no other file."""
    script, other = plain(user, "s.py"), plain(user, "other.py")
    add(user, other)
    kept = files(user)
    foreign = user.home / PLACES[0] / "foreign.desktop"
    foreign.write_bytes(b"[Desktop Entry]\nType=Application\nName=S\nExec=/bin/true\n\xff\n")
    add(user, script, "--on-desktop", "--autostart")
    script.unlink()
    finished = user.run("scriptrun", "desktop", "remove", "s.py")
    assert (0, "", f"scriptrun: note: removed the entries of {script}\n") == finished
    assert sorted([*kept, foreign]) == sorted(files(user))
    finished = user.run("scriptrun", "desktop", "remove", "s.py")
    assert finished == (0, "", "scriptrun: note: there is no entry of `s.py`; there are: `Other`\n")


def test_removed_by_name(user: User) -> None:
    """The name that the menu shows will do, unless several scripts have it."""
    scripts = [plain(user, "one/s.py"), plain(user, "two/s.py")]
    for script in scripts:
        add(user, script)
    finished = user.run("scriptrun", "desktop", "remove", "S")
    assert finished.status == 2
    assert f"`S` are several: {scripts[0]}, {scripts[1]}" in finished.err
    user.run("scriptrun", "desktop", "remove", scripts[0])
    assert user.run("scriptrun", "desktop", "remove", "S").status == 0
    assert files(user) == []


def test_entries(user: User) -> None:
    """What is there can be listed, wherever the user's directories are, also what is left of a script that has gone."""
    user.write("config/user-dirs.dirs", 'XDG_DESKTOP_DIR="$HOME/Schreib tisch"\n')
    user.variables.update(XDG_CONFIG_HOME=str(user.directory / "config"), XDG_DATA_HOME=str(user.directory / "data"))
    script = plain(user, ODD)
    add(user, script, "--on-desktop", "--autostart", "--name", "Odd")
    script.unlink()
    found = menu.entries(user.environment())
    assert [(one.place, one.name) for one in found] == [("menu", "Odd"), ("desktop", "Odd"), ("autostart", "Odd")]
    assert {str(script)} == {one.script for one in found}
    parents = [user.directory / "data/applications", user.home / "Schreib tisch", user.directory / "config/autostart"]
    assert parents == [Path(one.path).parent for one in found]
    assert user.run("scriptrun", "desktop", "remove", ODD).status == 0
    assert menu.entries(user.environment()) == []


@pytest.mark.parametrize("name", [ODD, "-x.pyw", "a=b.pyw"])
def test_started(user: User, name: str) -> None:
    """Started from its entry, a script at any path runs in its directory, and gets the files dropped on it."""
    fifo = user.directory / "fifo"
    os.mkfifo(fifo)
    body = f"import os, sys\nopen({str(fifo)!r}, 'w').write('\\0'.join([os.getcwd(), *sys.argv]))\n"
    script = plain(user, name, "[tool.scriptrun]", "gui = true", body=body)
    add(user, f"./{name}")
    (path,) = files(user)
    assert entries.validated(path) == ""
    with subprocess.Popen(["gio", "launch", path, "/a b", "/c=d"], env=user.environment()) as process:
        received = watch.receive(fifo).split("\0")
        assert process.wait(LIMIT) == 0
    assert [str(script.parent), str(script), "/a b", "/c=d"] == received


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "`scriptrun desktop add` takes one script"),
        (("s.py", "more"), 2, "`scriptrun desktop add` takes one script"),
        (("gone.py",), 127, "no such file: `gone.py`"),
        ((".",), 127, "no such file: `.`"),
        (("s.py", "--with", "demo"), 2, "an entry takes no `--with`"),
        (("s.py", "--name", " "), 2, "`--name` is ` `"),
        (("s.py", "--icon", "gone.png"), 125, "there is no icon `{directory}/gone.png`"),
        (("s.py", "--icon", "./s.py"), 125, "`{directory}/s.py` is no icon that desktops show"),
        (("typo.py",), 125, "typo.py:3: the block is not valid TOML"),
        ((b"caf\xe9.py",), 2, "holds what is no text, and cannot stand in a desktop entry"),
    ],
)
def test_refused(user: User, arguments: tuple[str | bytes, ...], status: int, message: str) -> None:
    """What cannot be an entry is an error that says why, and nothing is written."""
    plain(user, "s.py")
    plain(user, "typo.py", "dependencies = [")
    plain(user, os.fsdecode(b"caf\xe9.py"))
    finished = user.run("scriptrun", "desktop", "add", *arguments)
    assert status == finished.status
    assert message.format(directory=user.directory) in finished.err
    assert not (user.home / ".local").exists()


def test_remove_takes_one_word(user: User) -> None:
    """`remove` without a word, or with two, is wrong use."""
    for more in ((), ("a.py", "b.py")):
        finished = user.run("scriptrun", "desktop", "remove", *more)
        assert finished.status == 2
        assert "takes one script, or the name of one entry" in finished.err


def test_nowhere_to_write(user: User) -> None:
    """Where the directory cannot be made, the error says which, and there is no traceback."""
    (user.home / ".local").write_bytes(b"")
    finished = user.run("scriptrun", "desktop", "add", plain(user, "s.py"))
    message = f"scriptrun: error: `{user.home}/.local/share/applications` cannot be made: File exists\n"
    assert (125, "", message) == finished
