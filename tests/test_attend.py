"""The command `scriptrun-attend`: a script in a terminal that stays, in one that is found, and without."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import shells, terminal
from support.terminal import Seen
from support.user import LIMIT, User

KEY = "Press any key to close this window."

EMULATORS = {
    "xdg-terminal-exec": (),
    "x-terminal-emulator": ("-e",),
    "gnome-terminal": ("--",),
    "kgx": ("--",),
    "konsole": ("-e",),
    "xfce4-terminal": ("-x",),
    "mate-terminal": ("-x",),
    "lxterminal": ("-e",),
    "kitty": (),
    "alacritty": ("-e",),
    "foot": (),
    "wezterm": ("start", "--"),
    "xterm": ("-e",),
}
"""What stands before the command and its arguments, by emulator."""


@pytest.fixture(params=["dash", "bash", "busybox"])
def attend(request: pytest.FixtureRequest, command: Path) -> list[str]:
    """The command, under each of the shells that may be `/bin/sh`."""
    return [*shells.command(request.param), str(command.with_name("scriptrun-attend"))]


@pytest.fixture
def plain(command: Path) -> list[str]:
    """The command, as it is started."""
    return [str(command.with_name("scriptrun-attend"))]


def at_terminal(
    user: User, *command: str, typed: tuple[tuple[str, str], ...] = ((KEY, "x"),), **variables: str | None
) -> Seen:
    """Run a command at a terminal; what it says last is answered by a key."""
    return terminal.run(user, *command, typed=typed, variables={"TERM": "xterm", **variables})


def said(seen: Seen) -> str:
    """Return what was written, without the title, the colours and the line of progress, which goes again."""
    return seen.shown.partition("\x07")[2].rpartition("\r\x1b[K")[2].replace("\x1b[0m", "")


def program(user: User, name: str, text: str) -> dict[str, Any]:
    """Put a program of that name before all others; return the variables that make it found."""
    user.write(f"programs/{name}", f"#!/bin/sh\n{text}\n", executable=True)
    return {"PATH": f"{user.directory}/programs:{user.variables['PATH']}"}


def left_in_state(user: User) -> list[str]:
    """Return what there is in the directory for the state of programs."""
    return sorted(path.name for path in user.home.glob(".local/state/scriptrun/*"))


def test_a_script_runs_in_its_own_directory(user: User, attend: list[str]) -> None:
    """The directory is the script's, the arguments arrive as they are, and standard input is the terminal."""
    body = "import os, sys; print(os.getcwd(), sys.argv[1:], sys.stdin.isatty(), input())\n"
    script = user.script("a b/it's $x %f.py", body=body)
    seen = at_terminal(user, *attend, "terminal", "never", str(script), "1  2", "", "*", typed=(("", "typed\n"),))
    assert seen.status == 0
    assert f"{script.parent} ['1  2', '', '*'] True typed\n" in said(seen)
    assert left_in_state(user) == []


def test_a_link_runs_in_the_directory_of_its_target(user: User, plain: list[str]) -> None:
    """A link leads to the directory where its target is, as it does for modules; the script is called by the link."""
    target = user.script("there/s.py", body="import os, sys; print(os.getcwd(), sys.argv[0], sys.path[0])\n")
    (user.directory / "here").mkdir()
    link = user.directory / "here/link.py"
    link.symlink_to(target)
    seen = at_terminal(user, *plain, "terminal", "never", str(link), typed=())
    assert said(seen) == f"{target.parent} {link} {target.parent}\n"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("raise SystemExit(3)", 3, "s.py has failed, with exit status 3. "),
        ("print('done')", 0, "s.py has ended. "),
        ("import os; os.kill(os.getpid(), 11)", 139, "s.py was ended by the signal SEGV. "),
        ("raise SystemExit(-1)", 255, "s.py has failed, with exit status 255. "),
        ("raise SystemExit(200)", 200, "s.py has failed, with exit status 200. "),
    ],
    ids=["failed", "quick", "crashed", "-1", "no signal"],
)
def test_a_terminal_stays_until_a_key(user: User, attend: list[str], body: str, status: int, told: str) -> None:
    """What failed, or has ended within seconds, is told, and seen until a key is pressed, also one of many bytes."""
    script = user.script("s.py", body=f"{body}\n")
    seen = at_terminal(user, *attend, "terminal", "auto", str(script), typed=((KEY, "\x1b[A"),))
    assert seen.status == status
    assert said(seen).endswith(f"\n{told}{KEY}\n")


@pytest.mark.parametrize(
    ("keep", "clock", "stays"),
    [("auto", "1000000", False), ("auto", "3", True), ("always", "1000000", True), ("never", "3", False)],
    ids=["auto, long", "auto, short", "always", "never"],
)
def test_keep_open(user: User, plain: list[str], keep: str, clock: str, stays: bool) -> None:  # noqa: FBT001
    """A script that went well for long closes its terminal; `always` and `never` leave no choice."""
    later = user.directory / "later"
    variables = program(user, "date", f"[ -e {later} ] && echo {clock} || echo 0 | tee {later}")
    script = user.script("s.py", body="print('done')\n")
    assert user.run("scriptrun", script).status == 0  # prepared
    seen = at_terminal(user, *plain, "terminal", keep, str(script), typed=((KEY, "x"),) if stays else (), **variables)
    assert (seen.status, said(seen)) == (0, f"done\n\ns.py has ended. {KEY}\n" if stays else "done\n")


def test_the_time_of_preparing_does_not_count(user: User, plain: list[str]) -> None:
    """A script that has ended at once, after it was prepared for long, stays as well."""
    later = user.directory / "later"
    variables = program(user, "date", f"[ -e {later} ] && exec /bin/date +%s || echo 0 | tee {later}")
    script = user.script("s.py", body="print('done')\n")
    seen = at_terminal(user, *plain, "terminal", "auto", str(script), **variables)
    assert said(seen).endswith(f"done\n\ns.py has ended. {KEY}\n")
    assert left_in_state(user) == []


def test_interrupt_ends_the_script_and_not_the_terminal(user: User, attend: list[str]) -> None:
    """^C is for the script, which may live on; what was typed ahead closes nothing."""
    script = user.script("s.py", body="import time\nprint('ready', flush=True)\ntime.sleep(300)\n")
    seen = at_terminal(user, *attend, "terminal", "auto", str(script), typed=(("ready", "xxx\x03"), (KEY, "x")))
    assert seen.status == 130
    assert "KeyboardInterrupt\n" in said(seen)
    assert said(seen).endswith(f"\ns.py was ended by the signal INT. {KEY}\n")


def test_closing_the_terminal_ends_the_script(user: User, attend: list[str]) -> None:
    """When the terminal has gone, so have the script and what attended it."""
    alive = user.directory / "alive"
    os.mkfifo(alive)
    body = f"import time\nheld = open({str(alive)!r}, 'w')\nprint('ready', flush=True)\ntime.sleep(300)\n"
    script = user.script("s.py", body=body)
    reading = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *attend, "terminal", "auto", str(script)],
        env=user.environment({"TERM": "xterm"}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"ready" not in shown:
        assert select.select([ours], [], [], LIMIT)[0], shown
        shown += os.read(ours, 65536)
    os.close(ours)
    assert process.wait(LIMIT) == -signal.SIGHUP
    assert select.select([reading], [], [], LIMIT)[0]
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_a_terminal_shows_the_sentence_first(user: User, plain: list[str]) -> None:
    """Where scriptrun itself fails, one sentence comes first, then what helps others; the status is not explained."""
    script = user.script("s.py", head='# requires-python = ">=3.99"\n')
    seen = at_terminal(user, *plain, "terminal", "auto", str(script), COLUMNS="1000", LINES="100")
    sentence, _, details = said(seen).partition("\n\nDetails, for somebody who can help:\n")
    assert sentence == (
        "“s.py” cannot start because it needs Python 3.99 or newer, which is not installed on this computer; "
        "whoever looks after this computer can help."
    )
    assert details.startswith(f"scriptrun: error: {script}:3: no installed Python")
    assert seen.status == 125
    assert details.endswith(f"requires-python\n\n{KEY}\n")
    assert left_in_state(user) == []


def test_the_sentence_stays_in_sight(user: User, plain: list[str]) -> None:
    """On a terminal with few lines the sentence comes again after the details; it is broken between words."""
    script = user.script("s.py", head='# requires-python = ">=3.99"\n')
    seen = at_terminal(user, *plain, "terminal", "auto", str(script), COLUMNS="60", LINES="10")
    sentence = said(seen).partition("\n\nDetails")[0]
    assert max(len(line) for line in sentence.splitlines()) <= 60
    assert said(seen).endswith(f"\n{sentence}\n\n{KEY}\n")


def test_the_script_knows_nothing_of_it(user: User, plain: list[str]) -> None:
    """The script's environment has no SCRIPTRUN_ATTENDED, prepared or not, and a scriptrun of its own is as ever."""
    body = "import os, subprocess\nprint(os.environ.get('SCRIPTRUN_ATTENDED'))\n"
    body += "print(subprocess.run(['scriptrun', 'nosuch.py'], stderr=subprocess.PIPE, text=True).stderr)\n"
    script = user.script("s.py", body=body)
    cases: list[dict[str, Any]] = [
        {},
        {},  # by the launcher
        {"SCRIPTRUN_QUIET": "1", "SCRIPTRUN_PREPARE_TIMEOUT": "100", "SCRIPTRUN_PRE": "0"},
    ]
    for variables in cases:
        seen = at_terminal(user, *plain, "terminal", "never", str(script), typed=(), **variables)
        assert said(seen) == "None\nscriptrun: error: no such file: `nosuch.py`\n\n"


def test_a_first_run_shows_its_progress(user: User, plain: list[str]) -> None:
    """The terminal shows how a script is prepared, in a line that goes before the script begins."""
    script = user.script("s.py", body="print('ran')\n")
    seen = at_terminal(user, *plain, "terminal", "never", str(script), typed=())
    steps = seen.shown.partition("\x07")[2].split("\r\x1b[K")
    assert steps[:2] == ["Preparing s.py; this happens only once.\n", "scriptrun: creating a virtual environment"]
    assert steps[-1] == "ran\n"


def test_what_was_told_is_known_without_room(user: User, plain: list[str]) -> None:
    """Where nothing can be written, a failure that scriptrun has told of is not told of again."""
    script = user.script("s.py", head='# requires-python = ">=3.99"\n')
    seen = at_terminal(user, *plain, "terminal", "auto", str(script), XDG_STATE_HOME="/dev/null")
    assert said(seen).endswith(f"requires-python\n\n{KEY}\n")


def test_what_another_has_left_is_not_believed(user: User, plain: list[str]) -> None:
    """A word of an earlier run, of a process with the same number, says nothing of this one; nothing of it runs."""
    script = user.script("s.py", body="print('done')\n")
    assert user.run("scriptrun", script).status == 0  # prepared
    state = user.home / ".local/state/scriptrun"
    state.mkdir(parents=True)
    for words in ("$$ 1", f"$$ a[$(touch {user.directory}/touched)]", "$$"):
        line = f"echo '{words}' | sed s/[$][$]/$$/ >{state}/began; exec \"$@\""
        seen = at_terminal(user, "sh", "-c", line, "-", *plain, "terminal", "auto", str(script))
        assert said(seen) == f"done\n\ns.py has ended. {KEY}\n"
    assert not (user.directory / "touched").exists()


def test_a_name_does_nothing_to_the_terminal(user: User, attend: list[str]) -> None:
    """A file's name with what controls a terminal, in one byte or in two, is shown nowhere."""
    for name in ("a\x1b[2Jb.py", "a\u009c\u009b2Jb.py"):
        script = user.write(name, "")
        seen = at_terminal(user, *attend, "terminal", "auto", str(script))
        assert "\x1b]0;The script\x07" in seen.shown
        assert f"\nThe script has ended. {KEY}\n" in said(seen)
    assert (
        "\x1b]0;ü.py\x07"
        in at_terminal(user, *attend, "terminal", "never", str(user.write("ü.py", "")), typed=()).shown
    )


def test_nobody_else_is_attended(user: User) -> None:
    """Who is not a child of the process that the variable names runs as ever; the script does not see it."""
    script = user.script("s.py", body="import os; print(os.environ.get('SCRIPTRUN_ATTENDED'))\n")
    for value in ("1 window /tmp/x", "", "nonsense", f"{os.getpid()} window relative"):
        assert user.run("scriptrun", script, SCRIPTRUN_ATTENDED=value, SCRIPTRUN_PRE="0") == (0, "None\n", "")
    assert user.run("scriptrun", "nosuch.py", SCRIPTRUN_ATTENDED="1 terminal /tmp/x") == (
        127,
        "",
        "scriptrun: error: no such file: `nosuch.py`\n",
    )


@pytest.mark.parametrize("emulator", EMULATORS)
def test_each_emulator_is_asked_in_its_way(user: User, plain: list[str], emulator: str) -> None:
    """An emulator gets its own options, then the command word by word."""
    ran = user.directory / "ran"
    variables = program(user, emulator, f'printf "<%s>" "$@" >{ran}; shift {len(EMULATORS[emulator])}; exec "$@"')
    script = user.script("it's 1.py", body="")
    bare = {**variables, "PATH": f"{user.directory}/programs:{_bare(user)}", "TERMINAL": emulator}
    finished = user.run(*plain, "new-terminal", "never", script, "a  b", "", **bare)
    assert (finished.status, finished.err) == (0, "")
    words = ran.read_text()[1:-1].split("><")
    count = len(EMULATORS[emulator])
    assert tuple(words[:count]) == EMULATORS[emulator]
    assert (words[count], words[count + 2 :]) == (plain[0], ["never", str(script), "a  b", ""])


def test_an_emulator_that_does_not_start_is_followed_by_the_next(user: User, plain: list[str]) -> None:
    """`$TERMINAL` with options counts first; one that fails, or opens nothing, leaves it to the next."""
    order = user.directory / "order"
    variables = program(user, "mine", f'echo "mine $1" >>{order}; exit 1')
    program(user, "xdg-terminal-exec", f"echo xdg >>{order}; exit 1")
    program(user, "x-terminal-emulator", f'echo x >>{order}; shift; ("$@" >/dev/null 2>&1 &)')  # as a server would
    program(user, "gnome-terminal", f"echo gnome >>{order}")
    script = user.script("s.py", body=f"open({str(user.directory / 'ran')!r}, 'a').write('ran')\n")
    bare = {**variables, "PATH": f"{user.directory}/programs:{_bare(user)}", "TERMINAL": "mine --fast"}
    assert user.run(*plain, "new-terminal", "never", script, **bare).status == 0
    assert order.read_text() == "mine --fast\nxdg\nx\n"
    assert left_in_state(user) == []


def test_two_terminals_run_a_script_once(user: User, plain: list[str]) -> None:
    """A terminal that opens late, when another one was asked meanwhile, ends without a word."""
    late = user.directory / "late"
    variables = program(user, "xdg-terminal-exec", f'printf "%s\\n" "$2" >{late}; exit 1')
    program(user, "x-terminal-emulator", 'shift; exec "$@"')
    script = user.script("s.py", body="print('ran')\n")
    bare = {**variables, "PATH": f"{user.directory}/programs:{_bare(user)}"}
    finished = user.run(*plain, "new-terminal", "never", script, **bare)
    assert finished.status == 0
    mode = late.read_text().rstrip("\n")
    assert mode.startswith("terminal=/")
    assert user.run(*plain, mode, "never", script) == (0, "", "")


@pytest.mark.parametrize("place", ["no state", "nowhere"])
def test_without_a_place_for_a_token_the_next_emulator_is_tried(user: User, plain: list[str], place: str) -> None:
    """Where nothing can be written, an emulator that fails has not begun, and is followed by the next."""
    variables = program(user, "xdg-terminal-exec", "exit 1")
    program(user, "x-terminal-emulator", 'shift; exec "$@"')
    script = user.script("s.py", body=f"open({str(user.directory / 'ran')!r}, 'a').write('ran')\n")
    bare: dict[str, Any] = {
        **variables,
        "PATH": f"{user.directory}/programs:{_bare(user)}",
        "XDG_STATE_HOME": "/dev/null",
    }
    if place == "nowhere":
        bare["TMPDIR"] = "/dev/null"
    assert user.run(*plain, "new-terminal", "never", script, **bare) == (0, "", "")
    assert (user.directory / "ran").read_text() == "ran"


def alone(user: User, command: Path, scriptrun: str) -> Path:
    """Return a copy of the command beside a program of ours in the place of `scriptrun`."""
    user.write("alone/scriptrun", f"#!/bin/sh\n{scriptrun}\n", executable=True)
    return Path(shutil.copy(command.with_name("scriptrun-attend"), user.directory / "alone"))


@pytest.mark.parametrize("state", [None, "/dev/null"], ids=["state", "no state"])
def test_what_a_script_wrote_is_told(user: User, command: Path, state: str | None) -> None:
    """Where a script dies, what it wrote comes to what tells of it, also where there is no place for the state."""
    told = user.directory / "told"
    program = alone(
        user, command, f'[ "$1" = desktop ] || {{ echo boom; exit 1; }}\necho "$@" >{told}; cat /dev/stdin >>{told}'
    )
    assert user.run(program, "window", "auto", "/x.py", XDG_STATE_HOME=state).status == 1
    assert told.read_text() == "desktop report died /x.py 1\nboom\n"
    assert left_in_state(user) == []


def test_what_scriptrun_has_told_is_told_once(user: User, command: Path) -> None:
    """A failure of which scriptrun gives the sign that it was told is not reported; the status stays."""
    told = user.directory / "told"
    attend = alone(user, command, f'echo "$@" >>{told}\nkill -s USR1 $PPID; exit 125')
    assert user.run(attend, "window", "auto", "/x.py", XDG_STATE_HOME="/dev/null").status == 125
    assert told.read_text() == "/x.py\n"


def test_nothing_is_made_in_the_root_directory(user: User, command: Path) -> None:
    """Who has no home has no place for the state either."""
    made = user.directory / "made"
    variables = program(user, "mkdir", f'echo "$@" >>{made}; exit 1')
    attend = alone(user, command, "exit 0")
    assert user.run(attend, "window", "auto", "/x.py", HOME=None, **variables) == (0, "", "")
    assert made.read_text() == "-p /dev/null/.local/state/scriptrun\n"


def test_a_link_in_the_place_of_the_log_leads_nowhere(user: User, plain: list[str]) -> None:
    """What somebody has put there is left as it is, and the script runs."""
    state, own = user.home / ".local/state/scriptrun", user.write("own", "mine")
    state.mkdir(parents=True)
    script = user.script("s.py", body=f"open({str(user.directory / 'ran')!r}, 'a').write('ran')\n")
    line = f'ln -s {own} {state}/running.$$.log; exec "$@"'
    assert user.run("sh", "-c", line, "-", *plain, "window", "auto", script).status == 0
    assert (own.read_text(), (user.directory / "ran").read_text()) == ("mine", "ran")


@pytest.mark.parametrize("teller", ["zenity", "kdialog", "xmessage", "notify-send"])
def test_where_scriptrun_has_gone_the_shell_says_so(user: User, command: Path, teller: str) -> None:
    """Without the program that runs scripts, whatever can show a text does."""
    words = user.directory / "words"
    variables = program(user, teller, f'printf "<%s>" "$@" >{words}')
    attend = alone(user, command, "")
    attend.with_name("scriptrun").unlink()
    script = user.script("s.py", body="")
    bare = {**variables, "PATH": f"{user.directory}/programs:{_bare(user)}"}
    assert user.run(attend, "window", "auto", script, **bare).status == 127
    assert words.read_text().endswith(
        "<s.py cannot run: scriptrun, which runs it, is damaged or was removed. Install scriptrun again.>"
    )


def _bare(user: User) -> str:
    """Return a directory with the programs that a shell script needs, and no terminal emulator."""
    directory = user.directory / "bare"
    directory.mkdir(exist_ok=True)
    for name in ("sh", "mkdir", "rmdir", "rm", "sleep", "date", "readlink", "stty", "dd", "mktemp", "env", "cat"):
        found = shutil.which(name)
        assert found
        (directory / name).symlink_to(found)
    return str(directory)


def test_without_a_terminal_nothing_is_left_of_a_run_that_went_well(user: User, attend: list[str]) -> None:
    """What a script with a window writes is its user's alone, in a file without a name, which goes whatever happens."""
    body = "import os\nstatus = os.fstat(1)\nassert os.path.sameopenfile(1, 2)\n"
    body += f"seen = open({str(user.directory / 'seen')!r}, 'w')\n"
    body += "seen.write(f'{os.getcwd()} {oct(status.st_mode)} {status.st_nlink} {os.umask(0)}')\n"
    script = user.script("there/s.pyw", body=body)
    assert user.run(*attend, "window", "auto", script) == (0, "", "")
    mask = os.umask(0)
    os.umask(mask)
    assert (user.directory / "seen").read_text() == f"{script.parent} 0o100600 0 {mask}"
    assert left_in_state(user) == []


def test_a_state_that_cannot_be_written_keeps_nothing_from_running(user: User, plain: list[str]) -> None:
    """Where there is no place for logs a script runs without, in a terminal and with a window."""
    user.write("file", "")
    script = user.script("s.py", body="print('ran')\n")
    where: dict[str, Any] = {"XDG_STATE_HOME": f"{user.directory}/file"}
    assert user.run(*plain, "window", "auto", script, **where).status == 0
    variables = program(user, "x-terminal-emulator", 'shift; exec "$@"')
    where["PATH"] = f"{user.directory}/programs:{_bare(user)}"
    assert user.run(*plain, "new-terminal", "never", script, **{**variables, **where}).status == 0
