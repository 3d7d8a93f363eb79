"""`scriptrun cron`: what it prints and says."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
from pathlib import Path
from typing import Any

import pytest
from support import everybody
from support.user import User

from scriptrun.errors import EditError
from scriptrun.jobs import tables
from scriptrun.jobs.account import Account

DAILY = ("--schedule", "0 6 * * *")


@pytest.fixture
def owner() -> pwd.struct_passwd:
    """The user who runs the tests, as the machine knows them."""
    return pwd.getpwuid(os.geteuid())


@pytest.fixture
def settled(user: User, owner: pwd.struct_passwd) -> User:
    """A user of whom nothing is to be noted: HOME is where cron has it, and nothing is said to pip by a variable."""
    user.variables = {"HOME": owner.pw_dir, "PATH": user.variables["PATH"], "LANG": "C.UTF-8"}
    user.script("s.py")
    return user


def command_line(user: User, *words: str, **variables: Any) -> str:
    """Return the line that is printed for `s.py` with these words."""
    status, out, err = user.run("scriptrun", "cron", "s.py", *DAILY, *words, **variables)
    assert (status, err) == (0, "")
    (line,) = (line for line in out.splitlines() if not line.startswith("#"))
    return line


def test_block(settled: User, owner: pwd.struct_passwd, command: Path) -> None:
    """The block has absolute paths, says what it assumes, and stands between markers that name the script."""
    script, home = settled.directory / "s.py", owner.pw_dir
    expected = f"""\
# scriptrun: {script}
# Runs as {owner.pw_name} in {home}, by /bin/sh, with PATH=/usr/bin:/bin and no terminal;
# output is mailed to {owner.pw_name}. SHELL=, PATH=, HOME= and MAILTO= above this change that.
# Its cache is {home}/.cache/scriptrun.
0 6 * * * {command} {script}
# scriptrun: end of {script}
"""
    assert settled.run("scriptrun", "cron", "s.py", "--schedule", " 0 6\t* * * ") == (0, expected, "")


def test_options_and_arguments_are_carried(settled: User, command: Path) -> None:
    """scriptrun's options, also from variables, stand before the script, and its own arguments behind it."""
    line = command_line(
        settled,
        "--with-requirements",
        "r.txt",
        "x",
        "--",
        "--name",
        "-q",
        "a b",
        SCRIPTRUN_PRE="1",
        SCRIPTRUN_WITH="demo",
    )
    directory = settled.directory
    options = f"--pre --with demo --with-requirements {directory}/r.txt"
    assert line == f"0 6 * * * {command} {options} {directory}/s.py x --name -q 'a b'"


def test_variables_of_places_stand_in_the_line(settled: User, command: Path) -> None:
    """What says where caches and configuration are is set for the job too, and the comment names that cache."""
    variables: dict[str, Any] = {
        "XDG_CONFIG_HOME": "/x/100%",
        "SCRIPTRUN_CACHE_DIR": "/c d",
        "XDG_CACHE_HOME": "",
        "XDG_DATA_HOME": "/n",
    }
    line = command_line(settled, **variables)
    begin = "0 6 * * * SCRIPTRUN_CACHE_DIR='/c d' XDG_CACHE_HOME='' XDG_CONFIG_HOME=/x/100\\%"
    assert line == f"{begin} {command} {settled.directory}/s.py"
    assert "# Its cache is /c d.\n" in settled.run("scriptrun", "cron", "s.py", *DAILY, **variables).out


def test_what_depends_on_directory_or_shell_is_made_plain(settled: User) -> None:
    """A relative cache directory is made absolute, and a flag that a variable switches off is off in the job too."""
    line = command_line(settled, SCRIPTRUN_CACHE_DIR="c", SCRIPTRUN_SYSTEM_CACHE="", SCRIPTRUN_PRE="0")
    expected = f"SCRIPTRUN_CACHE_DIR={settled.directory}/c SCRIPTRUN_PRE=0 SCRIPTRUN_SYSTEM_CACHE='' "
    assert line.startswith(f"0 6 * * * {expected}")


def test_variables_that_cron_lacks_are_named(settled: User) -> None:
    """Variables for pip are named on stderr, never their values, with the remedy; empty ones count as not set."""
    variables: dict[str, Any] = {
        "PIP_INDEX_URL": "https://ada:secret@host/",
        "https_proxy": "http://secret",
        "NO_PROXY": "",
        "EDITOR": "e",
    }
    status, out, err = settled.run("scriptrun", "cron", "s.py", *DAILY, **variables)
    assert status == 0
    assert err.startswith(
        "scriptrun: note: set here, and not in cron: PIP_INDEX_URL, https_proxy; write it into pip.conf"
    )
    assert "secret" not in out + err
    assert settled.run("scriptrun", "-q", "cron", "s.py", *DAILY, **variables).err == ""


def test_another_home_is_named(settled: User, owner: pwd.struct_passwd) -> None:
    """cron takes the home from the list of users: where HOME is another one, a note says so."""
    err = settled.run("scriptrun", "cron", "s.py", *DAILY, HOME=str(settled.home)).err
    assert err.startswith(f"scriptrun: note: HOME is `{settled.home}` here and `{owner.pw_dir}` in cron")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "days", "noted"),
    [("@yearly", 90, True), ("@reboot", 90, True), ("@monthly", 90, False), ("@monthly", 20, True)],
)
def test_long_rest_is_noted(settled: User, when: str, days: int, noted: bool) -> None:  # noqa: FBT001 - a case
    """Where the cache forgets an environment before the job needs it again, a note names the setting."""
    settled.write("c/scriptrun/config.toml", f'[cache]\nmax-idle = "{days} days"\n')
    found = settled.run("scriptrun", "cron", "s.py", "--schedule", when, XDG_CONFIG_HOME=str(settled.directory / "c"))
    assert (found.status, "`max-idle` in config.toml" in found.err, f"the {days} days" in found.err) == (
        0,
        noted,
        noted,
    )


def test_line_for_another_user(settled: User, command: Path) -> None:
    """`--user` makes a line of /etc/cron.d: with the user's name, and without directories that are one's own."""
    status, out, err = settled.run(
        "scriptrun", "cron", "s.py", *DAILY, "--user", "nobody", SCRIPTRUN_CACHE_DIR="/x", SCRIPTRUN_SYSTEM_CACHE="/s"
    )
    assert status == 0
    assert f"\n0 6 * * * nobody SCRIPTRUN_SYSTEM_CACHE=/s {command} {settled.directory}/s.py\n" in out
    assert "# Runs as nobody in /nonexistent, by /bin/sh" in out
    assert "# Its cache is a temporary directory, as there is no home.\n" in out
    assert "may keep nobody from using" in err


def test_system_cache_is_named(settled: User) -> None:
    """Where there is a system's cache that the job may use, the comment names it before the user's own."""
    system = settled.directory / "all"
    system.mkdir(0o755)
    out = settled.run("scriptrun", "cron", "s.py", *DAILY, SCRIPTRUN_CACHE_DIR="/c", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert f"# It looks into the system's cache {system} first. Its cache is /c.\n" in out.out


@pytest.mark.slow
def test_what_another_user_cannot_read_is_noted(pythons: list[Path], settled: User) -> None:
    """A script that only root can read is noted where the job is somebody else's, and not where it is theirs."""
    everybody.require_root()
    with everybody.installation(pythons) as programs:
        script = programs.parent / "s.py"
        script.write_text("")
        script.chmod(0o600)
        look = (programs / "scriptrun", "cron", script, *DAILY, "--user", "nobody")
        closed = settled.run(*look).err
        os.chown(script, pwd.getpwnam("nobody").pw_uid, -1)
        theirs = settled.run(*look).err
    assert closed.startswith(f"scriptrun: note: `{script}` may keep nobody from using `{script}`; ")
    assert theirs == ""


@pytest.mark.slow
def test_files_that_another_user_cannot_read_are_noted(pythons: list[Path], settled: User) -> None:
    """So are files that options name, and the lock beside the script."""
    everybody.require_root()
    with everybody.installation(pythons) as programs:
        script = programs.parent / "s.py"
        script.write_text("")
        script.chmod(0o644)
        closed = [programs.parent / name for name in ("requirements.txt", "pylock.s.toml")]
        for path in closed:
            path.write_text("")
            path.chmod(0o600)
        look = ("cron", "--with-requirements", closed[0], script, *DAILY, "--user", "nobody")
        err = settled.run(programs / "scriptrun", *look).err
    assert sorted(re.findall("`(.*)` may keep nobody from using", err)) == sorted(map(str, closed))


@pytest.mark.slow
def test_what_everybody_can_use_is_not_noted(pythons: list[Path], settled: User) -> None:
    """With scriptrun and script where everybody can read them, nothing is to be said."""
    everybody.require_root()
    with everybody.installation(pythons) as programs:
        script = programs.parent / "s.py"
        script.write_text("")
        found = settled.run(programs / "scriptrun", "cron", script, *DAILY, "--user", "nobody")
    assert (found.status, found.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "takes a script, and when to run it"),
        (("s.py",), "takes a script, and when to run it"),
        (DAILY, "takes a script, and when to run it"),
        (("s.py", *DAILY, "--remove"), "takes a script, and when to run it"),
        (("s.py", "--install", "--remove"), "takes a script, and when to run it"),
        (("s.py", *DAILY, "--install", "--user", "root"), "takes a script, and when to run it"),
        (("s.py", *DAILY, "--user", "nobody-at-all"), "this machine knows no user `nobody-at-all`"),
        (("https://host/s.py", *DAILY), "is for files"),
        (("s.py", *DAILY, "--index-url", "https://a:b@host/"), "holds a password"),
        (("s.py", *DAILY, "a\nb"), "cannot hold a newline"),
        (("s.py", *DAILY, "x" * 999), "longer than the 998 bytes"),
        (("s.py", "--schedule", "6 * * *"), "has 4 fields, not five"),
    ],
)
def test_wrong_use(settled: User, words: tuple[str, ...], message: str) -> None:
    """What cannot be meant is an error of use, and nothing is printed."""
    status, out, err = settled.run("scriptrun", "cron", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_path_behind_a_link(settled: User) -> None:
    """`..` behind a link to a directory leads where it does for the system."""
    (settled.directory / "a/b").mkdir(parents=True)
    settled.write("a/s.py", "")
    (settled.directory / "link").symlink_to("a/b")
    assert f" {settled.directory}/a/s.py\n" in settled.run("scriptrun", "cron", "link/../s.py", *DAILY).out


def test_started_as_a_module(settled: User, command: Path) -> None:
    """`python -m scriptrun` names the command that is installed with it."""
    python = command.parent / "python"
    status, out, err = settled.run(python, "-m", "scriptrun", "cron", "s.py", *DAILY, PATH="/usr/bin:/bin")
    assert (status, err) == (0, "")
    assert f"\n0 6 * * * {command} {settled.directory}/s.py\n" in out


def test_missing_script(settled: User) -> None:
    """A script that is not there has no job."""
    status, out, err = settled.run("scriptrun", "cron", "gone.py", *DAILY)
    assert (status, out, err) == (127, "", "scriptrun: error: no such file: `gone.py`\n")


@pytest.mark.parametrize("words", [(*DAILY, "--install"), ("--remove",)])
def test_missing_program(settled: User, command: Path, words: tuple[str, ...]) -> None:
    """Without the program `crontab` the error says what to install."""
    status, _, err = settled.run("scriptrun", "cron", "s.py", *words, PATH=str(command.parent))
    assert status == 125
    assert err.startswith("scriptrun: error: there is no program `crontab`\nhint: install cron")


def test_home_that_others_keep_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is waited for without an end: the error says that nothing was changed."""
    monkeypatch.setattr(tables, "_LONGEST_WAIT", 0.01)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    user = Account("ada", os.geteuid(), os.getegid(), str(tmp_path))
    with pytest.raises(EditError, match="nothing was changed"), tables.alone(user):
        pass
    os.close(descriptor)
    with tables.alone(user):
        pass
