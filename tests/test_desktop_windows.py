"""Scripts on Windows' desktop, as data: the registry by its documented rules, command lines, shortcuts.

Nothing here runs on Windows: what starts a script there is run on this machine's Python.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import windows as system
from support.windows import Winreg

from scriptrun import arguments, process
from scriptrun.cli import desktop
from scriptrun.cli.desktop import windows as cli
from scriptrun.desktop.windows import console, shell, shortcut
from scriptrun.desktop.windows.registry import Registry
from scriptrun.desktop.windows.shortcut import Shortcut
from scriptrun.errors import UsageError

PYTHON = r"C:\Users\Ada Lovelace\venv\Scripts\pythonw.exe"
COMMAND = [PYTHON, "-I", "-S", r"C:\Users\Ada Lovelace\venv\Scripts\scriptrun-python", "desktop", "open"]
PROGID = "scriptrun.Script.1"
SZ, NONE = Winreg.REG_SZ, Winreg.REG_NONE


class Machine:
    """A user of Windows: a registry, folders, and the command line."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.winreg = Winreg()
        self.told: list[Any] = []
        explorer = SimpleNamespace(SHChangeNotify=lambda *words: self.told.append(words))
        monkeypatch.setitem(sys.modules, "winreg", self.winreg)
        monkeypatch.setattr(ctypes, "windll", SimpleNamespace(shell32=explorer), raising=False)
        folders = {"Programs": "Start Menu/Programs", "Startup": "Start Menu/Programs/Startup", "Desktop": "Desktop"}
        self.winreg.given(
            shell.FOLDERS,
            {name: (f"%USERPROFILE%/{path}", Winreg.REG_EXPAND_SZ) for name, path in folders.items()},
        )

    def desktop(self, *words: str) -> int:
        """Run `scriptrun desktop …`."""
        invocation = arguments.parse(["desktop", *words], os.environ)
        return cli.VERBS[words[0]](invocation, {**os.environ, "UserProfile": str(self.home)})

    def shortcuts(self) -> list[str]:
        """Return the paths of all shortcuts below the user's home."""
        return sorted(path.relative_to(self.home).as_posix() for path in self.home.rglob("*.lnk"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with nothing but the folders of a user."""
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes a script."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / "some files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return make


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_command_line_is_taken_apart_into_the_same_words(words: list[str]) -> None:
    """Whatever the words hold, `CommandLineToArgvW` gives them back."""
    assert system.words(shell.command_line(["C:\\p.exe", *words])) == ["C:\\p.exe", *words]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r'a "b c" d', ["a", "b c", "d"]),
        (r'a "b\\" c', ["a", "b\\", "c"]),
        (r"a b\"c", ["a", 'b"c']),
        (r'a "x\y" \\server\z', ["a", r"x\y", r"\\server\z"]),
        (r'"C:\a b\" c', ["C:\\a b\\", "c"]),
        ('a ""', ["a", ""]),
    ],
)
def test_the_rules_of_the_test_are_those_of_the_documentation(line: str, expected: list[str]) -> None:
    """The examples that are known of `CommandLineToArgvW` come out as they are told."""
    assert system.words(line) == expected


@pytest.mark.parametrize(
    "file",
    [
        r"C:\x.py",
        r"C:\Users\Ada Lovelace\my script.py",
        r"\\server\share\x & y ^ (1) %PATH% 'z'.pyw",
        "C:\\Grüße\\😀.py",
    ],
)
def test_the_command_in_the_registry_names_the_file_that_was_opened(file: str) -> None:
    """What the shell makes of the command is Python without a console, scriptrun, and the file as one word."""
    Registry(winreg := Winreg()).install(shell.registration(COMMAND))
    template = winreg.hives[1][rf"Software\Classes\{PROGID}\shell\open\command"][""][0]
    assert system.words(system.started(template, file)) == [*COMMAND, file]
    assert system.words(system.started(template, file, "a b", "c")) == [*COMMAND, file, "a b", "c"]


def test_a_program_whose_path_the_shell_would_change_is_refused() -> None:
    """A `%` in the path of the command cannot be written so that it stays one."""
    with pytest.raises(UsageError, match="has a `%`"):
        shell.registration([r"C:\100%\pythonw.exe"])


def test_scripts_are_offered_and_no_default_is_taken() -> None:
    """Python files get one more entry under "Open with", of the documented type, and nothing else of theirs changes."""
    winreg = Winreg()
    winreg.given(r"Software\Classes\.py", {"": ("Python.File", SZ), "Content Type": ("text/x-python", SZ)})
    Registry(winreg).install(shell.registration(COMMAND))
    key = winreg.hives[1]
    assert key[r"Software\Classes\.py"] == {"": ("Python.File", SZ), "Content Type": ("text/x-python", SZ)}
    assert key[r"Software\Classes\.pyw"] == {}
    for ending in (".py", ".pyw"):
        assert key[rf"Software\Classes\{ending}\OpenWithProgids"] == {PROGID: (b"", NONE)}
    assert key[rf"Software\Classes\{PROGID}"]["AllowSilentDefaultTakeOver"] == (b"", NONE)
    assert Registry(winreg).opens(".py") == "Python.File"


def test_with_default_scripts_open_python_files_unless_the_user_chose() -> None:
    """The default of the ending is scriptrun's; a choice in a dialog is neither written nor overruled."""
    winreg = Winreg()
    winreg.given(rf"{shell.CHOICES}\.pyw\UserChoice", {"ProgId": ("Editor.File", SZ), "Hash": ("x", SZ)})
    before = winreg.state()
    Registry(winreg).install(shell.registration(COMMAND, default=True))
    assert [Registry(winreg).opens(ending) for ending in (".py", ".pyw")] == [PROGID, "Editor.File"]
    assert {path: values for path, values in winreg.state().items() if path in before} == before
    assert "AllowSilentDefaultTakeOver" not in winreg.hives[1][rf"Software\Classes\{PROGID}"]


@pytest.mark.parametrize("default", [False, True])
def test_uninstall_restores_exactly_what_was_there(*, default: bool) -> None:
    """Keys, values and types are as before, empty keys too; what scriptrun made has gone."""
    winreg = Winreg()
    winreg.given(r"Software\Classes\.py", {"": ("%Own%.File", Winreg.REG_EXPAND_SZ)})
    winreg.given(r"Software\Classes\.py\OpenWithProgids", {"VSCode.py": (b"", NONE)})
    winreg.given(r"Software\Classes\.pyw\OpenWithProgids")  # somebody's empty key
    before = winreg.state()
    registry = Registry(winreg)
    registry.install(shell.registration(COMMAND, default=default))
    once = winreg.state()
    registry.install(shell.registration(COMMAND, default=default))
    assert winreg.state() == once != before, "twice is once"
    registry.install(shell.registration(COMMAND, default=not default))
    registry.uninstall()
    assert winreg.state() == before
    registry.uninstall()
    assert winreg.state() == before, "there is nothing to take out any more"


def test_uninstall_leaves_a_default_that_another_program_set_meanwhile() -> None:
    """Only what still names scriptrun is put back."""
    winreg = Winreg()
    registry = Registry(winreg)
    registry.install(shell.registration(COMMAND, default=True))
    winreg.given(r"Software\Classes\.py", {"": ("Newer.File", SZ)})
    registry.uninstall()
    assert winreg.state() == {
        "Software": {},
        r"Software\Classes": {},
        r"Software\Classes\.py": {"": ("Newer.File", SZ)},
    }


@pytest.mark.parametrize("writes", range(1, 10))
def test_an_interrupted_installation_can_be_taken_back(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any number of values written, uninstall restores what was there."""
    winreg = Winreg()
    winreg.given(r"Software\Classes\.py", {"": ("Python.File", SZ)})
    before = winreg.state()
    genuine, left = winreg.SetValueEx, [writes]

    def failing(*words: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        genuine(*words)

    monkeypatch.setattr(winreg, "SetValueEx", failing)
    with pytest.raises(KeyboardInterrupt):
        Registry(winreg).install(shell.registration(COMMAND, default=True))
    monkeypatch.setattr(winreg, "SetValueEx", genuine)
    Registry(winreg).uninstall()
    assert winreg.state() == before


def test_the_shell_is_told_of_a_change(machine: Machine) -> None:
    """`SHChangeNotify` with SHCNE_ASSOCCHANGED follows an installation, and its end."""
    machine.desktop("install")
    machine.desktop("uninstall")
    assert machine.told == [(0x08000000, 0, None, None)] * 2


def test_the_whole_machine_is_refused(machine: Machine) -> None:
    """`--system` is said not to be there, instead of doing less."""
    with pytest.raises(UsageError, match="for one user"):
        machine.desktop("install", "--system")


def test_status_says_what_opens_python_files(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """It names the ProgIDs, the machine's where the user has none, and whether scriptrun is offered."""
    machine.winreg.given(r"Software\Classes\.py", {"": ("Python.File", SZ)}, hive=2)
    machine.desktop("status")
    machine.desktop("install", "--default")
    machine.desktop("status")
    assert capfd.readouterr().out.splitlines() == [
        "offered for Python files  no",
        ".py files open with       Python.File",
        ".pyw files open with      nothing",
        "offered for Python files  yes",
        f".py files open with       {PROGID}",
        f".pyw files open with      {PROGID}",
    ]


def test_the_command_goes_to_windows_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`scriptrun desktop` does there what is for Windows."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(shutil, "which", lambda *_words, **_options: None)  # that of Windows asks Windows itself
    assert desktop.main(arguments.parse(["desktop", "status", "--json"], os.environ), os.environ) == 0
    assert json.loads(capfd.readouterr().out) == {"installed": False, "opens": {".py": "", ".pyw": ""}, "entries": []}
    assert machine.told == []


def test_a_shortcut_says_what_is_to_be_started() -> None:
    """Its bytes, read by the specification, give back target, arguments, directory, name and icon."""
    made = Shortcut(PYTHON, '-I "C:\\a b\\x.py"', "C:\\a b", "Grüße 😀", "C:\\i.ico")
    assert system.link(shortcut.encode(made)) == {
        "target": PYTHON,
        "arguments": made.arguments,
        "directory": made.directory,
        "name": made.description,
        "icon": made.icon,
    }
    with pytest.raises(ValueError, match="xxx"):
        shortcut.encode(Shortcut("x" * 260, "", ""))


def test_add_and_remove_make_and_take_shortcuts(machine: Machine, write: Callable[[str, str], Path]) -> None:
    """A script gets one in the menu and where else it is asked for; added again they are replaced; removed, none."""
    script = write("my report.py", '# /// script\n# [tool.scriptrun.desktop]\n# name = "Report: 1"\n# ///\n')
    machine.desktop("add", str(script), "--autostart", "--on-desktop")
    programs = "Start Menu/Programs"
    assert machine.shortcuts() == [
        "Desktop/Report_ 1.lnk",
        f"{programs}/Report_ 1.lnk",
        f"{programs}/Startup/Report_ 1.lnk",
    ]
    found = system.link((machine.home / programs / "Report_ 1.lnk").read_bytes())
    assert system.words(f"p {found['arguments']}")[-3:] == ["desktop", "open", str(script)]
    assert (found["directory"], found["name"]) == (str(script.parent), "Report: 1")
    machine.desktop("add", str(script), "--name", "Other")
    assert machine.shortcuts() == [f"{programs}/Other.lnk"]
    script.unlink()
    machine.desktop("remove", str(script))
    assert machine.shortcuts() == []
    assert machine.desktop("remove", str(script)) == 0, "there is none, as was to be"


def test_entries_are_listed_and_removed_by_name(
    machine: Machine, write: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """`status` names place, script and file of each, as on any desktop; nobody else's shortcut is among them."""
    script = write("my_report.py", "")
    foreign = machine.home / "Desktop/foreign.lnk"
    foreign.parent.mkdir()
    foreign.write_bytes(shortcut.encode(Shortcut("C:\\e.exe", f'desktop open "{script}"', "C:\\")))
    machine.desktop("add", str(script), "--autostart", "-q")
    machine.desktop("status", "--json")
    programs = machine.home / "Start Menu/Programs"
    assert json.loads(capfd.readouterr().out)["entries"] == [
        {"name": "My report", "where": place, "script": str(script), "there": True, "file": str(path)}
        for place, path in (
            ("menu", programs / "My report.lnk"),
            ("autostart", programs / "Startup/My report.lnk"),
        )
    ]
    machine.desktop("remove", "My report")
    assert machine.shortcuts() == ["Desktop/foreign.lnk"]
    assert capfd.readouterr().err == f"scriptrun: note: removed the entries of {script}\n"


@given(st.binary(max_size=900))
def test_what_is_no_shortcut_of_scriptrun_is_passed_over(content: bytes) -> None:
    """Whatever is in the file, also behind the header of a shortcut, nothing is read into it, and nothing fails."""
    assert shortcut.decode(content) is None
    whole = shortcut.encode(Shortcut(PYTHON, "-I x", "C:\\", "Grüße 😀", "C:\\i.ico"))
    assert shortcut.decode(whole) == Shortcut(PYTHON, "-I x", "C:\\", "Grüße 😀", "C:\\i.ico")
    for length in range(0, 400, 7):
        assert shortcut.decode(whole[:length]) is None


def test_add_replaces_no_shortcut_of_somebody_else(machine: Machine, write: Callable[[str, str], Path]) -> None:
    """Where the name is taken, another one is asked for, and nothing is written."""
    taken = machine.home / "Start Menu/Programs/Job.lnk"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody's")
    with pytest.raises(UsageError, match="another entry"):
        machine.desktop("add", str(write("job.py", "")))
    assert taken.read_bytes() == b"somebody's"


@pytest.mark.parametrize("name", ["in console.py", "window.pyw"])
def test_a_script_is_run_in_its_own_directory(machine: Machine, write: Callable[[str, str], Path], name: str) -> None:
    """What `open` starts runs the script, by this machine's Python, with its arguments and where it is."""
    text = "import os, sys\nopen('ran', 'w').write(repr((os.getcwd(), sys.argv[1:])))\n"
    head = "# /// script\n# [tool.scriptrun.desktop]\n# keep-open = false\n# ///\n"
    script = write(name, head + text)
    assert machine.desktop("open", str(script), "a b") == 0
    assert (script.parent / "ran").read_text() == repr((str(script.parent), ["a b"]))


@pytest.mark.parametrize("hive", [1, 2])
def test_a_plain_file_is_opened_by_what_opened_it_before(
    machine: Machine, write: Callable[[str, str], Path], hive: int
) -> None:
    """With `--default`, a file without a block or shebang goes on to what was the default, of the user or machine."""
    plain = write("plain.py", "print('not this')\n")
    machine.winreg.given(r"Software\Classes\.py", {"": ("Editor.File", SZ)}, hive=hive)
    machine.winreg.given(
        r"Software\Classes\Editor.File\shell\open\command",
        {"": ('"%EDITOR%" --file "%1" %*', Winreg.REG_EXPAND_SZ)},
        hive=hive,
    )
    machine.desktop("install", "--default")
    asked: list[object] = []

    def wait_for(line: str, directory: str) -> int:
        asked.append((line, directory))
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDITOR", r"C:\Program Files\e.exe")
        patch.setattr(process, "wait_for", wait_for)
        machine.desktop("open", str(plain))
    assert asked == [(f'"C:\\Program Files\\e.exe" --file "{plain}"', str(plain.parent))]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"e.exe" "%1"', '"e.exe" "C:\\a b.py"'),
        ("e.exe %1", 'e.exe "C:\\a b.py"'),
        ('"e.exe" "%L" %*', '"e.exe" "C:\\a b.py"'),
        ("e.exe /x", 'e.exe /x "C:\\a b.py"'),
    ],
)
def test_commands_of_other_programs_get_the_file(template: str, expected: str) -> None:
    """The forms that commands in the registry have all end up with the file as one word."""
    assert shell.expand(template, "C:\\a b.py") == expected


@pytest.mark.parametrize(
    ("keep", "status", "brief", "waits"),
    [
        ("auto", 3, False, True),
        ("auto", 0, True, True),
        ("auto", 0, False, False),
        ("always", 0, False, True),
        ("never", 3, True, False),
    ],
)
def test_a_console_stays_open_on_failure(
    monkeypatch: pytest.MonkeyPatch, *, keep: str, status: int, brief: bool, waits: bool
) -> None:
    """It waits for a key where the script failed or was soon done, or where the block says so; the status is kept."""
    monkeypatch.setattr(console, "_BRIEF", 3600 if brief else 0)
    waited: list[int] = []
    command = [sys.executable, "-c", f"raise SystemExit({status})"]
    assert console.console(keep, command, lambda: waited.append(1)) == status
    assert bool(waited) == waits


@pytest.mark.parametrize(("code", "shown"), [("print('fine')", False), ("print('so far'); 1 / 0", True)])
def test_a_failure_without_a_console_is_shown(tmp_path: Path, *, code: str, shown: bool) -> None:
    """A message box has the script's name, that it failed, and the last of what it wrote."""
    boxes: list[Sequence[str]] = []
    script = tmp_path / "x.pyw"
    script.write_text(code)
    console.window([sys.executable, str(script)], lambda *words: boxes.append(words))
    assert len(boxes) == shown
    for title, text in boxes:
        assert title == "x.pyw"
        assert text.startswith("The script has failed (status 1).\n\nso far\n")
        assert text.endswith("ZeroDivisionError: division by zero")
