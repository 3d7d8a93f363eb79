"""Scripts on the desktop of macOS, as data: property lists, the files of bundles, the source of the handler.

Nothing here runs on macOS: what a bundle starts is run by this machine's shell.
"""

from __future__ import annotations

import json
import os
import plistlib
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.user import LIMIT

from scriptrun import arguments, process
from scriptrun.cli import desktop
from scriptrun.cli.desktop import macos as cli
from scriptrun.desktop import opening
from scriptrun.desktop.application import Application
from scriptrun.desktop.macos import bundles, command_files
from scriptrun.errors import ScriptrunError, UsageError

REQUIRED = {
    "CFBundleDisplayName",
    "CFBundleExecutable",
    "CFBundleIdentifier",
    "CFBundleInfoDictionaryVersion",
    "CFBundleName",
    "CFBundlePackageType",
    "CFBundleShortVersionString",
    "CFBundleSignature",
    "CFBundleVersion",
}
"""What "Bundle Programming Guide" expects of the property list of an application."""

ROLES = {"Editor", "Viewer", "Shell", "QLGenerator", "None"}
RANKS = {"Owner", "Default", "Alternate", "None"}
ODD = 'it\'s "a" $HOME `x` \\ tür.py'


class Mac:
    """A user of macOS: a home, and the command line."""

    def __init__(self, home: Path, command: Path) -> None:
        self.home = home
        self.environ = {**os.environ, "HOME": str(home), "PATH": f"{command.parent}:{os.environ['PATH']}"}

    def desktop(self, *words: str) -> int:
        """Run `scriptrun desktop …`."""
        return cli.VERBS[words[0]](arguments.parse(["desktop", *words], self.environ), self.environ)

    def write(self, name: str, text: str) -> Path:
        """Write a script."""
        path = self.home / "scripts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def files(self) -> list[str]:
        """Return what is in the home, but for scripts."""
        found = (path.relative_to(self.home) for path in self.home.rglob("*") if path.is_symlink() or path.is_file())
        return sorted(str(path) for path in found if path.parts[0] != "scripts")


@pytest.fixture
def mac(tmp_path: Path, command: Path) -> Mac:
    """A user with an empty home."""
    return Mac(tmp_path, command)


@pytest.fixture
def attend(tmp_path: Path) -> str:
    """A command `scriptrun-attend` that writes its words, on an odd path, into the file `words` beside it."""
    path = tmp_path / "bin of 'me'" / "scriptrun-attend"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "${0%/*}/words"\n')
    path.chmod(0o755)
    return str(path)


def unpack(files: dict[str, bundles.File], bundle: Path) -> None:
    """Write the files of a bundle."""
    for name, file in files.items():
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bundle_has_what_apple_asks_for(*, terminal: bool) -> None:
    """The property list has the keys that are expected, in their types; the file that it names is there to be run."""
    application = Application("Monthly report", "/Users/ada/report.py", terminal)
    files = bundles.bundle(application, "/opt/scriptrun-attend", b"icns\0\0\0\x08")
    properties = plistlib.loads(files["Contents/Info.plist"].content)
    assert REQUIRED - properties.keys() == set()
    assert (properties["CFBundlePackageType"], properties["CFBundleName"]) == ("APPL", "Monthly report")
    assert re.fullmatch(r"[A-Za-z0-9.-]+", properties["CFBundleIdentifier"])
    assert re.fullmatch(r"\d+(\.\d+){0,2}", properties["CFBundleShortVersionString"])
    assert files[f"Contents/MacOS/{properties['CFBundleExecutable']}"].executable
    assert f"Contents/Resources/{properties['CFBundleIconFile']}.icns" in files
    assert files["Contents/PkgInfo"].content == b"APPL????"
    assert properties["LSUIElement"] is terminal
    programs = [name for name, file in files.items() if file.executable]
    assert programs == ["Contents/MacOS/start", *(["Contents/Resources/run.command"] * terminal)]


def test_identifiers_differ_with_the_path_alone() -> None:
    """Launch Services tells applications apart by them: one for each script, whatever its entry is called."""
    first, again, other = bundles.identifier("/a/x.py"), bundles.identifier("/a/x.py"), bundles.identifier("/b/x.py")
    assert first == again != other


@pytest.mark.parametrize(
    ("terminal", "program", "mode"),
    [(True, "Contents/Resources/run.command", "terminal"), (False, "Contents/MacOS/start", "window")],
)
def test_a_bundle_runs_its_script(tmp_path: Path, attend: str, *, terminal: bool, program: str, mode: str) -> None:
    """The program in it, run by a shell, hands on the path of the script as one word, whatever is in that."""
    application = Application("X", f"/scripts/{ODD}", terminal, "never")
    bundle = tmp_path / "my app.app"
    unpack(bundles.bundle(application, attend), bundle)
    subprocess.run([bundle / program], check=True, timeout=LIMIT)
    assert Path(attend).with_name("words").read_text().split("\n")[:-1] == [mode, "never", f"/scripts/{ODD}"]


def test_the_launcher_opens_the_terminal_from_wherever_the_bundle_is(tmp_path: Path, attend: str) -> None:
    """It gives `open` a file `.command` of its own bundle, by a path that leads there from any directory."""
    bundle = tmp_path / "moved here.app"
    unpack(bundles.bundle(Application("X", "/x.py", terminal=True), attend), bundle)
    start = bundle / "Contents/MacOS/start"
    text = start.read_text()
    assert text.startswith("#!/bin/sh\nexec /usr/bin/open ")
    start.write_text(text.replace("/usr/bin/open", "printf %s"))
    finished = subprocess.run([start], cwd="/", stdout=subprocess.PIPE, check=True, timeout=LIMIT)
    assert Path(os.fsdecode(finished.stdout)).resolve() == bundle / "Contents/Resources/run.command"
    assert os.access(os.fsdecode(finished.stdout), os.X_OK)


def test_a_command_for_one_terminal_is_gone_when_it_runs(
    tmp_path: Path, attend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can read the file; run, it and its directory are removed, and the command gets its words."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program, path = command_files.opened([attend, "terminal", "auto", ODD])
    assert (program, os.path.splitext(path)[1]) == ("/usr/bin/open", ".command")
    assert [os.stat(one).st_mode & 0o777 for one in (path, os.path.dirname(path))] == [0o700, 0o700]
    subprocess.run([path], check=True, timeout=LIMIT)
    assert not os.path.exists(os.path.dirname(path))
    assert Path(attend).with_name("words").read_text() == f"terminal\nauto\n{ODD}\n"


@pytest.mark.parametrize(("name", "in_terminal"), [("x.py", True), ("x.pyw", False)])
def test_a_script_that_is_opened_gets_the_terminal_of_macos(
    mac: Mac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, in_terminal: bool
) -> None:
    """`desktop open` becomes `open` with a file that attends the script in a terminal; without one, the attendant."""
    become: list[list[str]] = []

    def execve(path: str, words: list[str], environ: dict[str, str]) -> None:
        assert (path, environ["HOME"]) == (words[0], mac.environ["HOME"])
        become.append(words)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "execve", execve)
    script = mac.write(name, "")
    opening.become(str(script), ["a b"], mac.environ)
    [words] = become
    if in_terminal:
        assert words[0] == "/usr/bin/open"
        words = shlex.split(Path(words[1]).read_text().partition("; exec ")[2])
    assert os.path.basename(words[0]) == "scriptrun-attend"
    assert words[1:] == ["terminal" if in_terminal else "window", "auto", str(script), "a b"]


def test_the_handler_is_offered_for_python_files_and_takes_no_default() -> None:
    """Its document types name types that are known or declared, in documented roles, of the rank `Alternate`."""
    compiled = {"CFBundleExecutable": "droplet", "CFBundleIconFile": "droplet", "CFBundleName": "made"}
    properties = plistlib.loads(bundles.handler_properties(compiled))
    assert properties["CFBundleExecutable"] == "droplet", "what osacompile made stays"
    declared = {one["UTTypeIdentifier"]: one for one in properties["UTImportedTypeDeclarations"]}
    endings = {
        ending for one in declared.values() for ending in one["UTTypeTagSpecification"]["public.filename-extension"]
    }
    assert endings == {"py", "pyw"}
    for name, one in declared.items():
        assert re.fullmatch(r"[A-Za-z0-9.-]+", name)
        assert one["UTTypeConformsTo"] == ["public.shell-script"]
    for kind in properties["CFBundleDocumentTypes"]:
        assert set(kind["LSItemContentTypes"]) == set(declared)
        assert kind["CFBundleTypeRole"] in ROLES
        assert kind["LSHandlerRank"] in RANKS - {"Owner", "Default"}


def test_the_handler_hands_on_each_file(tmp_path: Path) -> None:
    """The command in the AppleScript, unquoted as AppleScript and a shell do, is scriptrun's with one file."""
    program = tmp_path / 'bin "of" \\ me' / "scriptrun"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "${0%/*}/words"\n')
    program.chmod(0o755)
    source = bundles.handler(str(program))
    assert re.findall(r"(?m)^(on|end) (\w+)", source) == [
        ("on", "open"),
        ("end", "open"),
        ("on", "run"),
        ("end", "run"),
    ]
    found = re.search(r'do shell script ("(?:[^"\\]|\\.)*") & quoted form of POSIX path of theFile & (".*")', source)
    assert found is not None
    command, rest = (re.sub(r"\\(.)", r"\1", text[1:-1]) for text in found.groups())
    subprocess.run(["/bin/sh", "-c", f"{command}'/a b.py'{rest} wait"], check=True, timeout=LIMIT)
    assert (program.parent / "words").read_text() == "desktop\nopen\n/a b.py\n"


def test_commands_for_the_system_name_one_bundle() -> None:
    """The programs that compile, sign and announce it are called as their manuals say, the path as one word."""
    path = "/Users/ada lovelace/Applications/Run Script.app"
    assert bundles.compilation("/t/x.applescript", path) == ["/usr/bin/osacompile", "-o", path, "/t/x.applescript"]
    assert bundles.signature(path) == ["/usr/bin/codesign", "--force", "--sign", "-", path]
    program, *words, code, last = bundles.announcement(path)
    assert (program, words, last) == ("/usr/bin/osascript", ["-l", "JavaScript", "-e"], path)
    assert "$.LSRegisterURL($.NSURL.fileURLWithPath(words[0]), true)" in code


def test_a_script_can_start_at_login() -> None:
    """The agent's property list has the keys of launchd.plist(5), and opens the bundle."""
    application = Application("X", "/x.py", terminal=False)
    assert plistlib.loads(bundles.agent(application, "/A/X.app")) == {
        "Label": bundles.identifier("/x.py"),
        "ProgramArguments": ["/usr/bin/open", "/A/X.app"],
        "RunAtLoad": True,
        "LimitLoadToSessionType": "Aqua",
    }


def test_add_and_remove_make_and_take_a_bundle(mac: Mac) -> None:
    """A script gets one, and what else is asked for; added again it is replaced; removed, nothing is left."""
    script = mac.write("my_report.py", "")
    mac.desktop("add", str(script), "--autostart", "--on-desktop")
    bundle = "Applications/My report.app/Contents"
    assert mac.files() == [
        f"{bundle}/Info.plist",
        f"{bundle}/MacOS/start",
        f"{bundle}/PkgInfo",
        f"{bundle}/Resources/run.command",
        "Desktop/My report.app",
        f"Library/LaunchAgents/{bundles.identifier(str(script))}.plist",
    ]
    assert os.access(mac.home / bundle / "MacOS/start", os.X_OK)
    mac.desktop("add", str(script), "--name", "A/B: other")
    assert {path.split("/")[1] for path in mac.files()} == {"A_B_ other.app"}
    script.unlink()
    mac.desktop("remove", str(script))
    assert mac.files() == []
    with pytest.raises(UsageError, match="no entry"):
        mac.desktop("remove", str(script))


def test_add_replaces_no_application_of_somebody_else(mac: Mac) -> None:
    """Where the name is taken, another one is asked for, and nothing is written."""
    taken = mac.home / "Applications/Job.app/Contents/Info.plist"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(plistlib.dumps({"CFBundleIdentifier": "org.example.job"}))
    with pytest.raises(UsageError, match="another application"):
        mac.desktop("add", str(mac.write("job.py", "")))
    assert mac.files() == ["Applications/Job.app/Contents/Info.plist"]


def test_status_lists_entries(mac: Mac, capfd: pytest.CaptureFixture[str]) -> None:
    """Each bundle of a script is told, and whether the handler is there."""
    script = mac.write("x.py", "")
    mac.desktop("add", str(script))
    mac.desktop("status")
    assert capfd.readouterr().out.splitlines() == [
        "offered for Python files: no",
        f"entry: {mac.home}/Applications/X.app for {script}",
    ]


def test_the_command_goes_to_macos_there(
    mac: Mac, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`scriptrun desktop` does there what is for macOS, and says what there is no word for as everywhere."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert desktop.main(arguments.parse(["desktop", "status", "--json"], mac.environ), mac.environ) == 0
    assert json.loads(capfd.readouterr().out) == {"installed": False, "entries": {}}
    with pytest.raises(UsageError, match="has no option"):
        desktop.main(arguments.parse(["desktop", "status", "--default"], mac.environ), mac.environ)


def test_install_makes_the_handler_whole_or_not_at_all(mac: Mac, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the programs of macOS made gets its property list and its place; where one fails, nothing is there."""
    seen: list[str] = []

    def run(command: list[str], **_: object) -> process.Finished:
        seen.append(os.path.basename(command[0]))
        if command[0] == "/usr/bin/osacompile":
            unpack(
                {"Contents/Info.plist": bundles.File(plistlib.dumps({"CFBundleExecutable": "droplet"}))},
                Path(command[2]),
            )
        return process.Finished(int(failing == seen[-1]), "it says why")

    monkeypatch.setattr(process, "run", run)
    failing = "codesign"
    with pytest.raises(ScriptrunError, match="`codesign` of macOS failed with status 1"):
        mac.desktop("install")
    assert mac.files() == []
    failing = ""
    mac.desktop("install")
    assert mac.files() == ["Applications/Run Script.app/Contents/Info.plist"]
    assert seen == ["osacompile", "codesign", "osacompile", "codesign", "osascript"]
    mac.desktop("uninstall")
    assert mac.files() == []


def test_a_default_for_scripts_alone_is_refused(mac: Mac) -> None:
    """macOS knows files by their ending: `--default` would take all Python files, and says so."""
    with pytest.raises(UsageError, match="by their ending alone"):
        mac.desktop("install", "--default")


@pytest.mark.parametrize("name", ["CON", "a/b", "x:y", "...", " x ", "a\nb", "lpt1.txt", "Grüße"])
def test_names_become_file_names_everywhere(name: str) -> None:
    """What Windows or macOS would refuse is replaced; other names stay."""
    made = Application(name, "/x.py", terminal=True).file_name
    assert re.fullmatch(r"[^\x00-\x1f<>:\"/\\|?*]+", made)
    assert made.strip(" .") == made != "CON"
    assert Application(made, "/x.py", terminal=True).file_name == made
