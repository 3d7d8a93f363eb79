"""The text of units: what systemd itself says of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support import everybody
from support.user import LIMIT, Finished, User

from scriptrun.errors import UsageError
from scriptrun.jobs import units
from scriptrun.jobs.job import Job
from scriptrun.jobs.units import Unit

HARD = (
    "a b",
    "100%",
    "$HOME",
    "${X}",
    '"',
    "'",
    "back\\slash",
    "end\\",
    ";",
    "é",
    "\udcff",
    "line\nfeed",
    "\x01",
    "",
    "-x",
)


def job(*words: str, script: str = "/srv/report.py", program: str = "/usr/bin/env", **variables: str) -> Job:
    """Return a job whose program is there on every machine."""
    return Job(program, script, (), words, variables)


def analyze(home: Path, *words: str | Path) -> tuple[int, str]:
    """Run `systemd-analyze` for a user with that home, and return its status and all that it wrote."""
    everybody.require_programs("systemd", "systemd-analyze")
    finished = subprocess.run(
        ["systemd-analyze", *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    return finished.returncode, finished.stdout


def write(directory: Path, made: list[Unit]) -> list[Path]:
    """Write units into files."""
    for unit in made:
        (directory / unit.name).write_text(unit.text, errors="surrogateescape")
    return [directory / unit.name for unit in made]


Maker = Callable[[Job, str, str], list[Unit]]
FOR_EVERYBODY: Maker = partial(units.for_everybody, used=())


@pytest.mark.parametrize("calendar", ["", "*-*-* 06:00"], ids=["stays", "timer"])
@pytest.mark.parametrize("maker", [FOR_EVERYBODY, units.for_user], ids=["everybody", "user"])
def test_systemd_accepts_them(tmp_path: Path, maker: Maker, calendar: str) -> None:
    """`systemd-analyze verify` has nothing to say of any of them, with whatever words and names."""
    hard = job(*HARD, script='/srv/a "b" %h $HOME é.py', SCRIPTRUN_SYSTEM_CACHE="/srv/100% $x \\ \"'")
    made = [*maker(job(), "plain", calendar), *maker(hard, "hard", calendar)]
    names = ["plain.service", "plain.timer", "hard.service", "hard.timer"]
    assert [unit.name for unit in made] == [name for name in names if calendar or name.endswith("service")]
    scope = ["--user"] if maker is units.for_user else []
    assert analyze(tmp_path, "verify", "--man=no", *scope, *write(tmp_path, made)) == (0, "")


def test_services_for_everybody_are_safe(tmp_path: Path) -> None:
    """`systemd-analyze security` finds little exposure, also where homes can be read."""
    for script in ("/srv/report.py", "/home/ada/report.py"):
        (path, _) = write(tmp_path, FOR_EVERYBODY(job(script=script), "report", "daily"))
        status, out = analyze(tmp_path, "security", "--offline=yes", "--threshold=20", path)
        assert status == 0, out
        assert float(re.findall(r"Overall exposure level for report.service: ([\d.]+) OK", out)[0]) < 2


@pytest.mark.parametrize("kind", ["argument", "needed"])
def test_homes_are_hidden_unless_needed(kind: str) -> None:
    """Where neither a path on the command line nor a file that it needs is in a home, there are none; else to read."""
    found = {}
    for path in ("/srv/x", "/home/ada/x", "/root/x", "/run/user/1000/x", "/homes/x"):
        words, used = ([], [path]) if kind == "needed" else ([path], [])
        text = units.for_everybody(job(*words), "report", "daily", used)[0].text
        found[path] = re.findall("^ProtectHome=(.*)", text, re.MULTILINE)
    assert found == {
        "/srv/x": ["yes"],
        "/home/ada/x": ["read-only"],
        "/root/x": ["read-only"],
        "/run/user/1000/x": ["read-only"],
        "/homes/x": ["yes"],
    }


def test_variables_that_lead_to_caches() -> None:
    """A service for everybody has caches of its own but for the system's; one of a user keeps the user's."""
    own = job(SCRIPTRUN_PRE="0", SCRIPTRUN_CACHE_DIR="/home/ada/100%", XDG_CONFIG_HOME="/home/ada/c")
    texts = [maker(own, "report", "daily")[0].text for maker in (FOR_EVERYBODY, units.for_user)]
    assert [re.findall("^Environment=(.*)", text, re.MULTILINE) for text in texts] == [
        ["HOME=%S/scriptrun-report", "XDG_CACHE_HOME=%C/scriptrun-report", "SCRIPTRUN_PRE=0"],
        ["SCRIPTRUN_PRE=0", "SCRIPTRUN_CACHE_DIR=/home/ada/100%%", "XDG_CONFIG_HOME=/home/ada/c"],
    ]


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("/srv/report.py", "report"),
        ("/srv/report", "report"),
        ("/srv/a b@c%d.x.py", "a-b-c-d.x"),
        ("/srv/-x-.py", "x"),
        ("/srv/été.py", "t"),
        ("/srv/日本.py", ""),
        (f"/srv/{'x' * 250}.py", "x" * 200),
    ],
)
def test_names(script: str, name: str) -> None:
    """Units are called as the script, without what means something to systemd."""
    assert units.name_for(script) == name
    assert units.is_name(name) is bool(name)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a@b", "-a", ".a", "a\n", "é", "x" * 201, "a%h"])
def test_names_that_are_none(name: str) -> None:
    """What systemd would take for something else is no name."""
    assert not units.is_name(name)


@pytest.mark.parametrize("character", ['"', "'", "\\", "\n"])
def test_programs_that_systemd_does_not_start(character: str) -> None:
    """It takes no quotes and backslashes in the path of a program, so there is no way to write it."""
    with pytest.raises(UsageError, match="systemd starts no program"):
        units.command_line([f"/opt/a{character}b/scriptrun", "/srv/s.py"])


def test_printed_for_a_user(user: User) -> None:
    """Service and timer are printed, each headed by its name; words after `--` are the script's."""
    script = user.script("my report.py")
    command = user.run("sh", "-c", "command -v scriptrun").out.strip()
    words = ["--user", "--on-calendar", "*-*-* 06:00", "--with", "demo", "--", "--all", "100%"]
    assert user.run("scriptrun", "systemd", "my report.py", *words) == (
        0,
        f"""\
# my-report.service, made by scriptrun systemd for {script}
# What you change belongs into my-report.service.d/: this file may be replaced.
[Unit]
Description=my report.py, run by scriptrun

[Service]
Type=oneshot
ExecStart=:{command} --with demo "{script}" --all 100%%
SyslogIdentifier=my-report
Environment=SCRIPTRUN_SYSTEM_CACHE=

# my-report.timer, made by scriptrun systemd for {script}
# What you change belongs into my-report.timer.d/: this file may be replaced.
[Unit]
Description=my report.py, run by scriptrun

[Timer]
OnCalendar=*-*-* 06:00
AccuracySec=1s
Persistent=yes

[Install]
WantedBy=timers.target
""",
        "scriptrun: note: set here, and not in a service: PIP_CONFIG_FILE, PIP_INDEX_URL; write it into pip.conf\n",
    )


WRONG = {
    (): (2, "`scriptrun systemd` takes a script"),
    ("nowhere.py",): (127, "no such file: `nowhere.py`"),
    ("http://127.0.0.1/s.py",): (2, "`scriptrun systemd` is for files, not for `http://127.0.0.1/s.py`"),
    ("s.py", "--on-calendar", "sometimes"): (2, "`--on-calendar` is `sometimes`: Failed to parse calendar"),
    ("s.py", "--on-calendar", "daily\nExecStart=/bin/sh"): (2, "`--on-calendar` is `daily\\x0aExecStart=/bin/sh`"),
    ("s.py", "--on-calendar", ""): (2, "`--on-calendar` is ``"),
    ("s.py", "--name", "a b"): (2, "units cannot be called `a b`"),
    ("日本.py",): (2, "units cannot be called ``"),
    ("s.py", "--output", "s.py/units"): (125, "`s.py/units` cannot be made: Not a directory"),
    ("s.py", "--index-url", "http://u:secret@127.0.0.1/"): (2, "`http://127.0.0.1/` holds a password"),
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use(user: User, words: tuple[str, ...]) -> None:
    """What cannot be a unit is an error that says why; nothing is printed, and nothing written."""
    everybody.require_programs("systemd", "systemd-analyze")
    for name in ("s.py", "日本.py"):
        user.write(name, "")
    status, message = WRONG[words]
    finished = user.run("scriptrun", "systemd", "--user", *words)
    assert (finished.status, finished.out) == (status, "")
    assert finished.err.startswith(f"scriptrun: error: {message}")
    assert "secret" not in finished.err
    assert sorted(path.name for path in user.directory.iterdir()) == ["s.py", "日本.py"]


def test_written_whatever_the_umask(user: User) -> None:
    """With --output there are files, as the umask has it, and nothing on stdout; -q says nothing at all."""
    user.write("s.py", "")
    (user.directory / "units").mkdir()
    command = "umask 022; exec scriptrun systemd s.py --user -q --on-calendar daily --output units"
    assert user.run("sh", "-c", command) == (0, "", "")
    made = {path.name: path.stat().st_mode & 0o777 for path in (user.directory / "units").iterdir()}
    assert made == {"s.service": 0o644, "s.timer": 0o644}


def units_of(user: User, *words: str) -> Finished:
    """Make units of a user's for a script, below the directory `units` that is not there at first."""
    return user.run("scriptrun", "systemd", "--user", *words, "--output", "units/of/mine")


def test_directory_of_a_new_user(user: User) -> None:
    """The directory of a user's units is made with those above it; what is written is told, replaced and kept too."""
    user.write("s.py", "")
    steps = [units_of(user, "s.py", "--on-calendar", time) for time in ("daily", "daily", "weekly")]
    service, timer = (f"units/of/mine/s.{kind}" for kind in ("service", "timer"))
    told = [f"made {service} and {timer}", f"kept {service} and {timer}", f"kept {service}, replaced {timer}"]
    following = "next: systemctl --user daemon-reload && systemctl --user enable --now s.timer"
    variables = "set here, and not in a service: PIP_CONFIG_FILE, PIP_INDEX_URL; write it into pip.conf"
    notes = [f"scriptrun: note: {one}; {following}\nscriptrun: note: {variables}\n" for one in told]
    assert steps == [(0, "", note) for note in notes]


def test_scripts_of_one_name(user: User) -> None:
    """The units of another script are not replaced: its file has the same name, or the name was chosen."""
    names = ["s.py", "other/s.py", "other/line\nfeed.py"]
    for name in names:
        user.write(name, "")
    assert units_of(user, names[0], "--on-calendar", "daily").status == 0
    before = (user.directory / "units/of/mine/s.service").read_bytes()
    for words in ([names[1]], [names[2], "--name", "s"]):
        assert units_of(user, *words) == (
            125,
            "",
            "scriptrun: error: `units/of/mine/s.service` is there, and runs another script\n"
            "hint: choose another name with --name\n",
        )
    assert (user.directory / "units/of/mine/s.service").read_bytes() == before
    for _ in range(2):
        assert units_of(user, names[2], "--name", "t").status == 0
    first, second, *_ = (user.directory / "units/of/mine/t.service").read_text().splitlines()
    assert first == f"# t.service, made by scriptrun systemd for {user.directory}/other/line\\x0afeed.py"
    assert second == "# What you change belongs into t.service.d/: this file may be replaced."


@pytest.mark.parametrize("kind", ["service", "timer"])
@pytest.mark.parametrize("words", [(), ("--output", "units")], ids=["printed", "written"])
def test_names_that_are_taken(user: User, kind: str, words: tuple[str, ...]) -> None:
    """A unit that somebody else made, where systemd looks for it, is neither hidden nor started by a new timer."""
    user.write("s.py", "")
    path = user.write(f"home/.config/systemd/user/s.{kind}", "[Unit]\n")
    user.variables["HOME"] = str(user.directory / "home")
    command = ["scriptrun", "systemd", "--user", "s.py", "--on-calendar", "daily", *words]
    assert user.run(*command) == (
        125,
        "",
        f"scriptrun: error: `{path}` is there, and not made by scriptrun\nhint: choose another name with --name\n",
    )
    assert not (user.directory / "units").exists()
    path.write_text("")
    assert user.run(*command).status == 0, "the file that a shell makes for its output is none"


def test_from_a_timer_to_a_service_and_back(user: User) -> None:
    """What would still start it in the earlier way has to go first; the commands that do that are told."""
    user.write("s.py", "")
    directory = user.directory / "units/of/mine"
    assert units_of(user, "s.py", "--on-calendar", "daily").status == 0
    assert units_of(user, "s.py") == (
        125,
        "",
        "scriptrun: error: `units/of/mine/s.timer` would still start it\n"
        "hint: first run: systemctl --user disable --now s.timer && rm units/of/mine/s.timer\n",
    )
    assert "Type=oneshot\n" in (directory / "s.service").read_text()
    (directory / "s.timer").unlink()
    assert units_of(user, "s.py").status == 0
    assert "Type=exec\n" in (directory / "s.service").read_text()
    (directory / "default.target.wants").mkdir()
    (directory / "default.target.wants/s.service").symlink_to("../s.service")
    assert units_of(user, "s.py", "--on-calendar", "daily") == (
        125,
        "",
        "scriptrun: error: `units/of/mine/default.target.wants/s.service` would still start it at each boot\n"
        "hint: first run: systemctl --user disable --now s.service\n",
    )
    assert "Type=exec\n" in (directory / "s.service").read_text()
