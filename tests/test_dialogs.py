"""Windows on a real screen: what is told, asked and shown, by each toolkit, and what there is without one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support import desktop as desktops
from support import pythons, watch
from support.desktop import Desktop
from support.user import User

from scriptrun.desktop import dialogs
from scriptrun.desktop.dialogs import Question
from scriptrun.desktop.toolkits import bus, messages, notices
from scriptrun.errors import ScriptrunError

TOOLKITS = ("tk", "zenity", "kdialog")

FIRST = ("tk", *(pytest.param(name, marks=pytest.mark.slow) for name in TOOLKITS[1:]))
"""For what is to be seen soon: by one toolkit."""

OWN = "[Ss]criptrun"
"""The class of windows, by which desktops group and place them."""

WINDOW = Path(notices.__file__).with_name("window.py")

SENTENCE = r"It needs <b>another</b> Python & C:\new; this computer has 3.11."

DETAILS = "Traceback of <b>somebody</b>\n" + "more of it\n" * 100

QUESTION = Question(
    "letter.py",
    "It was downloaded. May it run?",
    (("Needs", "<i>demo</i>"), ("Python", "any")),
    "inside of it\n" * 99,
)

PROGRAM = """
import json, os, sys, time
from scriptrun.desktop import dialogs
from scriptrun.desktop.dialogs import Question
what, given = sys.argv[1], json.loads(sys.argv[2])
if what == "tell":
    dialogs.tell(*given, os.environ)
elif what == "ask":
    open("answer", "w").write(str(dialogs.ask(Question(*given), os.environ)))
else:
    with dialogs.progress("letter.py", os.environ) as show:
        show(r"Installing <b>demo</b> C:\\new")
        exec(given)
"""


@pytest.fixture
def desktop(user: User) -> Iterator[Desktop]:
    """A desktop of the test's own."""
    with desktops.start(user) as started:
        yield started


def only(user: User, toolkit: str, *helpers: str) -> dict[str, str]:
    """Return variables by which a toolkit is the first that works: Tk lacks a part, other programs are not there."""
    if toolkit == "tk":
        return {}
    names = (toolkit, f"{toolkit}_progress_helper") if toolkit else ()
    programs = path_of(user, *names, "sh", "sleep", *(helpers or ("gdbus", "xclip")))
    (programs / "libtk8.6.so").write_text("broken\n")  # what a Python imports `tkinter` from loads this
    return {"LD_LIBRARY_PATH": str(programs), "PATH": str(programs)}


def path_of(user: User, *names: str) -> Path:
    """Return a directory that has these programs alone, of those that are there."""
    programs = user.home / "programs"
    programs.mkdir()
    for name in names:
        (programs / name).symlink_to(shutil.which(name) or name)
    return programs


def begin(desktop: Desktop, what: str, given: object, variables: Mapping[str, str | None]) -> subprocess.Popen[bytes]:
    """Start a program that uses windows."""
    return desktop.start(sys.executable, "-c", PROGRAM, what, json.dumps(given), **variables)


def press(desktop: Desktop, toolkit: str, window: str, button: str, keys: tuple[str, ...]) -> None:
    """Press a button by the mouse; one of kdialog, which cannot be read well enough, by keys."""
    if toolkit == "kdialog":
        desktop.key(*keys)
    else:
        desktop.click(desktop.find(button, window))


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_failure_is_told(desktop: Desktop, toolkit: str) -> None:
    """A window says what failed, as it is and not as markup, shows details and copies all; Escape ends it."""
    variables = only(desktop.user, toolkit)
    process = begin(desktop, "tell", ["letter.py", SENTENCE, DETAILS], variables)
    window = desktop.window("letter", of=OWN)
    desktop.find("<b>another</b> Python", window)
    assert r"C:\new;" in desktop.read(window)
    press(desktop, toolkit, window, "Copy", ("Tab", "Return"))
    assert f"letter.py\n\n{SENTENCE}\n\n{DETAILS.rstrip()}" == clipboard(desktop)
    window = desktop.window("letter")
    desktop.find("this computer", window)
    press(desktop, toolkit, window, "Details", ("Return",))
    desktop.find("Traceback of")
    desktop.picture(f"failure-{toolkit}")
    assert "<b>somebody</b>" in desktop.read()
    assert end_by_escape(desktop, process) == 0
    assert desktop.windows() == []


def clipboard(desktop: Desktop) -> str:
    """Wait until there is a text on the clipboard, and return it."""
    command = ["/bin/sh", "-c", "until xclip -o -selection clipboard 2>/dev/null; do sleep 0.1; done"]
    return subprocess.run(
        command,
        env=desktop.user.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=desktops.LIMIT,
    ).stdout


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", ["zenity", "kdialog"])
def test_no_copy_is_offered_where_no_program_can(desktop: Desktop, toolkit: str) -> None:
    """Without a program that has the clipboard, the window has the text and no button that would do nothing."""
    variables = only(desktop.user, toolkit, "gdbus")
    process = begin(desktop, "tell", ["letter.py", SENTENCE, DETAILS], variables)
    window = desktop.window("letter")
    desktop.find("this computer", window)
    assert "Details" in desktop.read(window)
    assert "Copy" not in desktop.read(window)
    assert end_by_escape(desktop, process) == 0


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_question_is_asked_with_what_would_run(desktop: Desktop, toolkit: str) -> None:
    """A window asks, with what is known; "Show" shows the source and comes back, and Escape says no."""
    variables = only(desktop.user, toolkit)
    process = begin(desktop, "ask", list(vars(QUESTION).values()), variables)
    window = desktop.window("letter", of=OWN)
    desktop.find("It was downloaded.", window)
    assert "<i>demo</i>" in desktop.read(window)
    desktop.picture(f"question-{toolkit}")
    press(desktop, toolkit, window, "Show", ("Return",))
    desktop.find("inside of it")
    desktop.picture(f"question-source-{toolkit}")
    end_by_escape(desktop, process)
    assert (desktop.user.directory / "answer").read_text() == "False"


@pytest.mark.parametrize("toolkit", FIRST)
def test_run_is_an_answer_that_return_does_not_give(desktop: Desktop, toolkit: str) -> None:
    """Who presses Return at once has not said yes; who presses Run has."""
    variables = only(desktop.user, toolkit)
    answer = desktop.user.directory / "answer"
    process = begin(desktop, "ask", ["letter.py", "May it run?", [], ""], variables)
    desktop.find("May it", desktop.window("letter"))
    desktop.key("Return")
    end_by_escape(desktop, process)
    assert answer.read_text() == "False"
    process = begin(desktop, "ask", ["letter.py", "May it run?", [], ""], variables)
    window = desktop.window("letter")
    desktop.find("May it", window)
    press(desktop, toolkit, window, "Run", ("Tab", "Return"))
    assert process.wait(desktops.LIMIT) == 0
    assert answer.read_text() == "True"


@pytest.mark.parametrize("toolkit", FIRST)
def test_cancel_in_the_window_of_progress_ends_the_work(desktop: Desktop, toolkit: str) -> None:
    """A window says what is done now, as it is and not as markup; "Cancel" there is SIGTERM."""
    variables = only(desktop.user, toolkit)
    process = begin(desktop, "progress", "time.sleep(1000)", variables)
    window = desktop.window("letter", of=OWN)
    desktop.find("Installing <b>demo</b>", window)
    assert r"C:\new" in desktop.read(window)
    desktop.picture(f"progress-{toolkit}")
    press(desktop, toolkit, window, "Cancel", ("Tab", "space"))
    assert process.wait(desktops.LIMIT) == -signal.SIGTERM
    desktop.closed(window)


@pytest.mark.slow
def test_kdialog_is_told_of_steps_by_another_program_too(desktop: Desktop) -> None:
    """Without gdbus, dbus-send asks and tells: the step is there, and so is "Cancel"."""
    process = begin(desktop, "progress", "time.sleep(1000)", only(desktop.user, "kdialog", "dbus-send"))
    window = desktop.window("letter")
    desktop.find("Installing", window)
    desktop.key("Tab", "space")
    assert process.wait(desktops.LIMIT) == -signal.SIGTERM


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "spelled"), [("gdbus", ["true", '"it"']), ("dbus-send", ["boolean:true", "string:it"])]
)
def test_the_session_bus_is_asked(desktop: Desktop, program: str, spelled: list[str]) -> None:
    """Whichever program can asks; without a program or a bus there is no answer, and no error."""
    environ = {**desktop.user.environment(), "PATH": str(path_of(desktop.user, program))}
    name = "org.freedesktop.DBus"
    assert bus.has(environ, name)
    assert not bus.has(environ, "org.example.Nobody")
    assert "DBus" in bus.call(environ, name, "/", f"{name}.GetNameOwner", name)
    assert not bus.has({**environ, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}, name)
    assert not bus.has({**environ, "PATH": ""}, name)
    assert bus.command(environ, name, "/", f"{name}.Example", True, "it")[-2:] == spelled


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
@pytest.mark.parametrize("how", ["ends", "is killed", "becomes another program"])
def test_the_window_of_progress_goes_with_the_work(desktop: Desktop, toolkit: str, how: str) -> None:
    """However the work ends, its window goes, and the rest of the program has nothing of it."""
    variables = only(desktop.user, toolkit)
    os.mkfifo(desktop.user.directory / "go")
    after = {"ends": "pass", "is killed": "os.kill(os.getpid(), 9)"}.get(
        how, "os.execv('/bin/sleep', ['sleep', '1000'])"
    )
    process = begin(desktop, "progress", f"open('go').read(); {after}", variables)
    window = desktop.window("letter")
    let_go(desktop)
    desktop.closed(window)
    if how == "becomes another program":
        assert process.poll() is None
        process.kill()
    assert process.wait(desktops.LIMIT) == (0 if how == "ends" else -signal.SIGKILL)


@pytest.mark.slow
def test_work_that_is_soon_done_has_no_window(desktop: Desktop) -> None:
    """Of work that ends at once and work that goes on, the second one alone starts a program for its window."""
    variables = only(desktop.user, "zenity")
    spy(desktop.user, '[ "$1" = --version ] || echo started >>"$HOME/record"; exec /usr/bin/zenity "$@"')
    assert begin(desktop, "progress", "pass", variables).wait(desktops.LIMIT) == 0
    process = begin(desktop, "progress", "time.sleep(1000)", variables)
    desktop.window("letter")
    assert (desktop.user.home / "record").read_text() == "started\n"
    process.kill()


def spy(user: User, text: str) -> None:
    """Have a program of this text in place of zenity."""
    program = user.home / "programs" / "zenity"
    program.unlink()
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_window_of_progress_that_crashes_is_not_felt_by_the_work(desktop: Desktop, toolkit: str) -> None:
    """A crash is not "Cancel": the work goes on to its own end, with the next toolkit's window if there is one."""
    variables = only(desktop.user, toolkit)
    os.mkfifo(desktop.user.directory / "go")
    process = begin(desktop, "progress", "open('go').read()", variables)
    window = desktop.window("letter")
    beside = supervisors(desktop, process)
    os.kill(presenter(desktop, toolkit), signal.SIGSEGV)
    desktop.closed(window)
    if toolkit == "tk":
        desktop.window("letter")
    else:
        watch.await_end(beside)
    let_go(desktop)
    assert process.wait(desktops.LIMIT) == 0


def let_go(desktop: Desktop) -> None:
    """Write to the FIFO that a program waits for, and do not wait for one that has died."""
    descriptor = os.open(desktop.user.directory / "go", os.O_RDWR)
    os.write(descriptor, b"go")
    os.close(descriptor)


def supervisors(desktop: Desktop, process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that were made by a program, and became nothing else."""
    mine = words(process.pid)
    return [pid for pid in desktop.processes() if pid != process.pid and words(pid) == mine]


def presenter(desktop: Desktop, toolkit: str) -> int:
    """Return the process that shows the window of progress."""
    program = {"tk": "window.py", "kdialog": "kdialog_progress_helper"}.get(toolkit, toolkit)
    found = {Path(word).name: pid for pid in desktop.processes() for word in words(pid)[:3:2]}
    return found[program]


def words(pid: int) -> list[str]:
    """Return the command line of a process."""
    return watch.content(Path(f"/proc/{pid}/cmdline")).decode().split("\0")


@pytest.mark.slow
@pytest.mark.parametrize("failing", ["exec sleep 1000", "exit 1", "kill -9 $$"])
def test_a_window_that_hangs_or_dies_is_not_felt_by_the_work(desktop: Desktop, failing: str) -> None:
    """Work goes on and ends well, however much it tells a window that does not read, or is not there any more."""
    variables = only(desktop.user, "zenity")
    os.mkfifo(desktop.user.home / "started")
    spy(desktop.user, f'echo >"$HOME/started"; {failing}')
    told = "open(os.environ['HOME'] + '/started').read(); [show('x' * 400) for _ in range(20000)]"
    assert begin(desktop, "progress", told, variables).wait(desktops.LIMIT) == 0


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_windows_are_twice_as_large_where_all_is_and_fit_the_screen(desktop: Desktop, toolkit: str) -> None:
    """At 200 % a question is about twice as wide and high, and no part of it, nor of the source, is out of sight."""
    variables = only(desktop.user, toolkit)
    sizes = []
    for factor in "12":
        variables.update(GDK_SCALE=factor, QT_SCALE_FACTOR=factor)
        process = begin(desktop, "ask", list(vars(QUESTION).values()), variables)
        window = desktop.window("letter")
        desktop.find("It was downloaded.", window)
        sizes.append(desktop.place(window)[1])
        press(desktop, toolkit, window, "Show", ("Return",))
        desktop.find("inside of it")
        corner, size = desktop.place(desktop.window("letter"))
        desktop.picture(f"scaled-{factor}-{toolkit}")
        assert min(corner) >= 0
        assert (corner.x + size.x <= 1280, corner.y + size.y <= 800) == (True, True)
        end_by_escape(desktop, process)
    assert sizes[1].x >= 1.6 * sizes[0].x
    assert sizes[1].y >= 1.6 * sizes[0].y


@pytest.mark.slow
def test_tk_is_as_large_as_the_resolution_says(desktop: Desktop) -> None:
    """`Xft.dpi`, which desktops set for their scale, doubles the window; one that makes no sense ends nothing."""
    widths = []
    for dots in ("96", "192", "many", "nan", "inf", "-5"):
        setting = ("-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", f"Xft.dpi:\t{dots}\n")
        assert desktop.user.run("xprop", "-root", *setting).status == 0
        process = begin(desktop, "ask", ["letter.py", "May it run?", [], ""], {})
        window = desktop.window("letter", of="Scriptrun")
        widths.append(desktop.place(window)[1].x)
        end_by_escape(desktop, process)
    assert 1.8 * widths[0] <= widths[1] <= 2.2 * widths[0]
    assert widths[2] == widths[0]


def end_by_escape(desktop: Desktop, process: subprocess.Popen[bytes]) -> int:
    """Press Escape until a program ends, and return its status."""
    while process.poll() is None:
        desktop.key("Escape")
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"kind": "failure", "sentence": "no", "details": DETAILS, "whole": "all"}, 10),
        ({"kind": "question", "sentence": "may it?", "rows": "Needs: demo", "source": "import demo"}, 12),
        ({"kind": "progress", "sentence": "Preparing"}, 12),
    ],
)
def test_windows_of_tk_are_shown_by_an_old_python(desktop: Desktop, told: dict[str, str], answer: int) -> None:
    """The oldest Python here that has tkinter shows each window, and answers when it is closed by Escape."""
    texts = json.dumps({"title": "letter.py", **told})
    shell = 'mkfifo in; exec 3<>in; printf "%s\\n" "$2" >&3; exec "$0" -I "$1" <&3'
    process = desktop.start("sh", "-c", shell, old_python(), WINDOW, texts)
    window = desktop.window("letter", of="scriptrun")
    if told["kind"] == "failure":
        desktop.click(desktop.find("Details", window))
        desktop.find("Traceback of", window)
    assert end_by_escape(desktop, process) == answer, desktop.output.read_text()


def old_python() -> Path:
    """Return the oldest Python that has tkinter."""
    for python in pythons.find():
        if subprocess.run([python, "-c", "import tkinter"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    pytest.fail("no Python here has tkinter: install python3-tk")


READER = """
import gi, sys, time
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi

def read(one):
    if one is None:
        return
    yield one.get_role_name(), one.get_name()
    for index in range(one.get_child_count()):
        yield from read(one.get_child_at_index(index))

found = []
while ("push button", sys.argv[1]) not in found or not any(sys.argv[2] in name for _, name in found):
    time.sleep(0.1)
    found = list(read(Atspi.get_desktop(0)))
for role, name in found:
    print(f"{role}: {name}")
"""


@pytest.fixture
def accessible(user: User) -> Iterator[Desktop]:
    """A desktop on which assistive technology is on."""
    with desktops.start(user, accessible=True) as desktop:
        status = ["org.freedesktop.DBus.Properties.Set", "org.a11y.Status", "IsEnabled", "<true>"]
        place = ["--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method"]
        assert user.run("gdbus", "call", "--session", *place, *status).status == 0
        yield desktop


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "given", "said", "buttons"),
    [
        ("tell", ["letter.py", SENTENCE, DETAILS], f"label: {SENTENCE}\n", ("Close", "Details", "Copy")),
        ("ask", list(vars(QUESTION).values()), "label: It was downloaded. May it run?\n", ("Cancel", "Run", "Show")),
        ("progress", "time.sleep(1000)", r"label: Installing <b>demo</b> C:\new", ("Cancel",)),
    ],
)
def test_a_screen_reader_reads_windows(
    accessible: Desktop, what: str, given: object, said: str, buttons: tuple[str, ...]
) -> None:
    """Where assistive technology is on, the window is one that it can read, although there is Tk: text and buttons."""
    process = begin(accessible, what, given, {})
    accessible.window("letter")
    words = said.removeprefix("label: ").split("\n")[0]
    heard = accessible.user.run("timeout", "100", "/usr/bin/python3", "-c", READER, buttons[0], words).out
    assert said in heard
    assert [button for button in buttons if f"push button: {button}\n" not in heard] == []
    assert end_by_escape(accessible, process) == (-signal.SIGTERM if what == "progress" else 0)


@pytest.mark.slow
def test_a_notification_is_beside_windows_that_cannot_be_read_aloud(accessible: Desktop) -> None:
    """Where assistive technology is on and Tk is all there is, a notification has what its window says."""
    programs = path_of(accessible.user, "gdbus", "notify-send")
    notified_of(accessible)
    process = begin(accessible, "tell", ["letter.py", "It needs another Python.", DETAILS], {"PATH": str(programs)})
    window = accessible.window("letter", of="scriptrun")
    place = accessible.find("another Python.", window)
    accessible.move(window, desktops.Point(10, 500))
    assert accessible.find("another Python.") != place
    assert accessible.read().count("another Python.") == 2
    accessible.click(accessible.find("Close", window))
    assert process.wait(desktops.LIMIT) == 0


def notified_of(desktop: Desktop) -> None:
    """Start what shows notifications."""
    desktop.start("dunst")
    name = "org.freedesktop.Notifications"
    assert desktop.user.run("gdbus", "wait", "--session", "--timeout", "60", name).status == 0


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_the_toolkit_that_would_show_windows_is_named(desktop: Desktop, toolkit: str) -> None:
    """It is the first one that works; without a screen there is none."""
    variables = only(desktop.user, toolkit)
    code = "import os; from scriptrun.desktop import dialogs; print(dialogs.toolkit(os.environ))"
    desktop.user.variables.update(variables)
    assert desktop.user.run(sys.executable, "-c", code).out.split(" ")[0].strip().lower() == toolkit
    assert desktop.user.run(sys.executable, "-c", code, DISPLAY=":4040404").out == "\n"
    assert desktop.user.run(sys.executable, "-c", code, DISPLAY=None).out == "\n"


@pytest.mark.slow
@pytest.mark.parametrize("program", ["notify-send", "gdbus"])
def test_without_windows_a_notification_names_the_log(desktop: Desktop, program: str) -> None:
    """Where no window can be shown, the sentence is a notification, and a file of the user's own has the rest."""
    user = desktop.user
    notified_of(desktop)
    process = begin(
        desktop,
        "tell",
        ["letter.py", SENTENCE, DETAILS],
        {"DISPLAY": None, "PATH": str(path_of(user, program))},
    )
    assert process.wait(desktops.LIMIT) == 0
    desktop.find("<b>another</b> Python")
    desktop.picture("notification")
    log = user.home / ".local/state/scriptrun/desktop.log"
    assert "desktop.log" in desktop.read().replace(" ", "").lower()
    assert DETAILS.strip() in log.read_text()
    assert (stat.S_IMODE(log.stat().st_mode), stat.S_IMODE(log.parent.stat().st_mode)) == (0o600, 0o700)


def test_nothing_can_ask_where_there_is_no_screen(user: User) -> None:
    """A question that nobody can see is no yes: it is an error."""
    with pytest.raises(ScriptrunError, match="nothing here that could ask"):
        dialogs.ask(QUESTION, user.environment())


def test_the_log_is_rotated(tmp_path: Path) -> None:
    """However much fails, there are few logs, none of which is large; the newest failure is in the first."""
    environ = {"HOME": str(tmp_path)}
    for number in range(12):
        path = notices.keep(messages.failure(f"{number}.py", "failed", "x" * (notices.SIZE // 2)), environ)
    logs = sorted(Path(path).parent.iterdir())
    assert [log.name for log in logs] == ["desktop.log", *(f"desktop.log.{number}" for number in (1, 2, 3))]
    assert max(log.stat().st_size for log in logs) <= notices.SIZE
    assert "11.py" in Path(path).read_text()


def test_texts_have_no_characters_that_control_anything() -> None:
    """Escapes and characters that turn the direction of writing are shown for what they are."""
    failure = messages.failure("a\x1b\nb", "c\u202ed\x00", "\x1b[31me\nf")
    assert failure == messages.Failure("a\\x1b b", "c\\u202ed\\x00", "\\x1b[31me\nf")
    question = messages.cleaned(Question("a\u2067", "b\x07", (("c\n", "d\x1b"),), "e\u202e\n"))
    assert question == Question("a\\u2067", "b\\x07", (("c", "d\\x1b"),), "e\\u202e\n")


def test_what_is_too_much_for_a_window_is_cut() -> None:
    """A text for a window that cannot be scrolled has few lines, none of which is long."""
    lines = messages.fitted("x" * 500 + "\n" + "word " * 1000, 20).split("\n")
    assert len(lines) == 20
    assert max(map(len, lines)) <= 70
    assert lines[-1] == "…"
