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
from support.desktop import Desktop
from support.user import User

from scriptrun.desktop import dialogs
from scriptrun.desktop.dialogs import Question
from scriptrun.desktop.toolkits import messages, notices
from scriptrun.errors import ScriptrunError

TOOLKITS = ("tk", "zenity", "kdialog")

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


def only(user: User, toolkit: str) -> dict[str, str]:
    """Return variables by which a toolkit is the first that works: Tk lacks a part, other programs are not there."""
    if toolkit == "tk":
        return {}
    programs = user.home / "programs"
    programs.mkdir()
    for name in (toolkit, f"{toolkit}_progress_helper", "gdbus", "xclip", "sh", "grep", "sleep"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "libtk8.6.so").write_text("broken\n")  # what a Python imports `tkinter` from loads this
    return {"LD_LIBRARY_PATH": str(programs), "PATH": str(programs)}


def begin(desktop: Desktop, what: str, given: object, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
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
    window = desktop.window("letter")
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
    while process.poll() is None:
        desktop.key("Escape")
    assert process.returncode == 0
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
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_question_is_asked_with_what_would_run(desktop: Desktop, toolkit: str) -> None:
    """A window asks, with what is known; "Show" shows the source and comes back, and Escape says no."""
    variables = only(desktop.user, toolkit)
    process = begin(desktop, "ask", list(vars(QUESTION).values()), variables)
    window = desktop.window("letter")
    desktop.find("It was downloaded.", window)
    assert "<i>demo</i>" in desktop.read(window)
    desktop.picture(f"question-{toolkit}")
    press(desktop, toolkit, window, "Show", ("Return",))
    desktop.find("inside of it")
    desktop.picture(f"question-source-{toolkit}")
    while process.poll() is None:
        desktop.key("Escape")
    assert (desktop.user.directory / "answer").read_text() == "False"


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_run_is_an_answer_that_return_does_not_give(desktop: Desktop, toolkit: str) -> None:
    """Who presses Return at once has not said yes; who presses Run has."""
    variables = only(desktop.user, toolkit)
    answer = desktop.user.directory / "answer"
    process = begin(desktop, "ask", ["letter.py", "May it run?", [], ""], variables)
    desktop.find("May it", desktop.window("letter"))
    desktop.key("Return")
    while process.poll() is None:
        desktop.key("Escape")
    assert answer.read_text() == "False"
    process = begin(desktop, "ask", ["letter.py", "May it run?", [], ""], variables)
    window = desktop.window("letter")
    desktop.find("May it", window)
    press(desktop, toolkit, window, "Run", ("Tab", "Return"))
    assert process.wait(desktops.LIMIT) == 0
    assert answer.read_text() == "True"


@pytest.mark.slow
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_cancel_in_the_window_of_progress_ends_the_work(desktop: Desktop, toolkit: str) -> None:
    """A window says what is done now, as it is and not as markup; "Cancel" there is SIGTERM."""
    variables = only(desktop.user, toolkit)
    process = begin(desktop, "progress", "time.sleep(1000)", variables)
    window = desktop.window("letter")
    desktop.find("Installing <b>demo</b>", window)
    assert r"C:\new" in desktop.read(window)
    desktop.picture(f"progress-{toolkit}")
    press(desktop, toolkit, window, "Cancel", ("Tab", "space"))
    assert process.wait(desktops.LIMIT) == -signal.SIGTERM
    desktop.closed(window)


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
    (desktop.user.directory / "go").write_text("")
    desktop.closed(window)
    if how == "becomes another program":
        assert process.poll() is None
        process.kill()
    assert process.wait(desktops.LIMIT) == (0 if how == "ends" else -signal.SIGKILL)


@pytest.mark.slow
def test_work_that_is_soon_done_has_no_window(desktop: Desktop) -> None:
    """Of work that ends at once and work that goes on, the second one alone starts a program for its window."""
    variables = only(desktop.user, "zenity")
    spy(desktop.user, 'echo started >>"$HOME/record"; exec /usr/bin/zenity "$@"')
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
        while process.poll() is None:
            desktop.key("Escape")
    assert sizes[1].x >= 1.6 * sizes[0].x
    assert sizes[1].y >= 1.6 * sizes[0].y


READER = """
import gi, time
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi

def read(one):
    if one is None:
        return
    yield one.get_role_name(), one.get_name()
    for index in range(one.get_child_count()):
        yield from read(one.get_child_at_index(index))

found = []
while ("push button", "Close") not in found:
    time.sleep(0.1)
    found = list(read(Atspi.get_desktop(0)))
for role, name in found:
    print(f"{role}: {name}")
"""


@pytest.mark.slow
def test_a_screen_reader_reads_failures(user: User) -> None:
    """Where assistive technology is on, the window is one that it can read, although there is Tk: text and buttons."""
    with desktops.start(user, accessible=True) as desktop:
        status = ["org.freedesktop.DBus.Properties.Set", "org.a11y.Status", "IsEnabled", "<true>"]
        bus = ["--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method"]
        assert user.run("gdbus", "call", "--session", *bus, *status).status == 0
        process = begin(desktop, "tell", ["letter.py", SENTENCE, DETAILS], {})
        desktop.window("letter")
        heard = user.run("timeout", "100", "/usr/bin/python3", "-c", READER).out
        assert f"label: {SENTENCE}\n" in heard
        for button in ("Close", "Details", "Copy"):
            assert f"push button: {button}\n" in heard
        desktop.key("Escape")
        assert process.wait(desktops.LIMIT) == 0


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
def test_without_windows_a_notification_names_the_log(desktop: Desktop) -> None:
    """Where no window can be shown, the sentence is a notification, and a file of the user's own has the rest."""
    user = desktop.user
    desktop.start("dunst")
    name = "org.freedesktop.Notifications"
    assert user.run("gdbus", "wait", "--session", "--timeout", "60", name).status == 0
    assert user.run(
        sys.executable, "-c", PROGRAM, "tell", json.dumps(["letter.py", SENTENCE, DETAILS]), DISPLAY=None
    ) == (
        0,
        "",
        "",
    )
    desktop.find("<b>another</b> Python")
    desktop.picture("notification")
    log = user.home / ".local/state/scriptrun/desktop.log"
    assert "desktop.log" in desktop.read().replace(" ", "")
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
