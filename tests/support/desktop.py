"""A desktop of a test's own: an X server, a window manager and a session bus; windows, a mouse, and eyes.

What is on the screen is read by `tesseract`. Pictures are kept under `.work/pictures/`, for people to look at.
"""

from __future__ import annotations

import csv
import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from support import watch
from support.user import User

PICTURES = Path(__file__).parent.parent.parent / ".work" / "pictures"

LIMIT = 60
"""After how many seconds a window counts as not coming. No test expects anything of time."""

SCALES = (3, 2, 4)
"""How many times larger than it is a screen is read, at a first, second and third look.

Letters of a desktop are smaller than those of a scanned page, and a word is now and then missed at one size.
"""


MARGIN = 24
"""How many white dots are put around what is read; what is empty there, such as the desktop, is cut off first."""


class Point(NamedTuple):
    """A place on the screen."""

    x: int
    y: int


class Word(NamedTuple):
    """A word on the screen, and its centre."""

    text: str
    at: Point


@dataclass
class Desktop:
    """A screen with a window manager, on which `user` is logged in: `user.variables` say so to all that they run."""

    user: User
    runtime: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str | Path, **variables: str | None) -> subprocess.Popen[bytes]:
        """Start a program of the user; what it writes goes to `output`, and it ends with the desktop."""
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.user.directory,
                env=self.user.environment(variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.started.append(process)
        return process

    @property
    def output(self) -> Path:
        """What the programs wrote."""
        return self.runtime / "output"

    def window(self, title: str = "", *, of: str = "") -> str:
        """Wait for a window whose title matches an expression (and whose class `of`), and return its number."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            for number in reversed(self._clients()):
                if re.search(title, self._title(number), re.IGNORECASE) and re.search(of, self._class(number)):
                    return str(number)
            time.sleep(0.05)  # a title may come later than its window
        raise AssertionError(f"no window {title!r} of {of!r} among {self.windows()}; {self.output.read_text()}")

    def windows(self) -> list[str]:
        """Return the titles of the windows that there are now, the oldest first."""
        return [self._title(number) for number in self._clients()]

    def closed(self, window: str) -> None:
        """Wait until a window has gone."""
        end = time.monotonic() + LIMIT
        while int(window) in self._clients():
            assert time.monotonic() < end, f"the window {self._title(int(window))!r} does not close"
            time.sleep(0.05)  # `xprop -spy` misses what happens just before it listens

    def processes(self) -> list[int]:
        """Return all that run on the desktop, whoever their parent is by now: their environment names it."""
        mark = f"XDG_RUNTIME_DIR={self.runtime}".encode()
        paths = Path("/proc").glob("[0-9]*/environ")
        return [int(path.parent.name) for path in paths if mark in watch.content(path).split(b"\0")]

    def place(self, window: str) -> tuple[Point, Point]:
        """Return the upper left corner of a window, and its width and height."""
        text = self._ask("xwininfo", "-id", window)  # xdotool counts the frame twice
        value = {name: int(number) for name, number in re.findall(r"^ +(.*): +(-?\d+)$", text, re.MULTILINE)}
        corner = Point(value["Absolute upper-left X"], value["Absolute upper-left Y"])
        return corner, Point(value["Width"], value["Height"])

    def move(self, window: str, corner: Point) -> None:
        """Put a window elsewhere on the screen."""
        self._ask("xdotool", "windowmove", "--sync", window, *map(str, corner))

    def picture(self, name: str, window: str = "root") -> Path:
        """Keep a picture of the screen, or of a window, as an artefact, and return its path."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self._ask("import", "-silent", "-window", window, f"png:{path}")
        return path

    def read(self, window: str = "root") -> str:
        """Return the words on the screen, or of a window, as somebody reads them."""
        return " ".join(word.text for word in self.words(window))

    def words(self, window: str = "root", scale: int = SCALES[0]) -> list[Word]:
        """Return the words on the screen, or of a window, with where they are on the screen."""
        corner = Point(0, 0) if window == "root" else self.place(window)[0]
        with tempfile.TemporaryDirectory(dir=self.runtime) as directory:
            shot, path = f"{directory}/shot.ppm", f"{directory}/seen.png"
            self._ask("import", "-silent", "-window", window, shot)
            larger = ("-colorspace", "gray", "-resize", f"{scale}00%", "-bordercolor", "white", "-border", str(MARGIN))
            edge = self._ask("convert", shot, "-trim", "-print", "%X %Y", "+repage", *larger, path)
            table = self._ask("tesseract", path, "-", "--psm", "11", "tsv", OMP_THREAD_LIMIT="1")
        left, top = map(int, edge.split())
        corner = Point(corner.x + left - MARGIN // scale, corner.y + top - MARGIN // scale)
        rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Word(row["text"], _centre(row, corner, scale)) for row in rows if row["text"].strip()]

    def find(self, text: str, window: str = "root") -> Point:
        """Wait until a text of one line is on the screen, or in a window, and return where its middle is."""
        end = time.monotonic() + LIMIT
        sought = text.split()
        for scale in itertools.cycle(SCALES):
            words = self.words(window, scale)
            for start in range(len(words) - len(sought) + 1):
                run = words[start : start + len(sought)]
                if [word.text for word in run] == sought:
                    return Point((run[0].at.x + run[-1].at.x) // 2, (run[0].at.y + run[-1].at.y) // 2)
            seen = " ".join(word.text for word in words)
            assert time.monotonic() < end, f"{text!r} is nowhere on the screen: {seen!r}; {self.output.read_text()}"
        raise AssertionError

    def shows(self, text: str, window: str = "root") -> None:
        """Wait until a text is on the screen, or in a window, wherever its lines break; only letters count."""
        end = time.monotonic() + LIMIT
        for scale in itertools.cycle(SCALES):
            seen = " ".join(word.text for word in self.words(window, scale))
            if _letters(text) in _letters(seen):
                return
            assert time.monotonic() < end, f"{text!r} is nowhere on the screen: {seen!r}; {self.output.read_text()}"

    def press(self, label: str, window: str = "root") -> None:
        """Click the button that has this label: it is below all else."""
        self.find(label, window)
        self.click(max((word.at for word in self.words(window) if word.text == label), key=lambda at: at.y))

    def click(self, at: Point, *, times: int = 1, button: int = 1) -> None:
        """Click at a place, or double click with `times=2`."""
        repeated = ("click", "--repeat", str(times), "--delay", "60", str(button))
        self._ask("xdotool", "mousemove", *map(str, at), *repeated)

    def drag(self, start: Point, end: Point) -> None:
        """Press the button at one place, move, and let go at another, slowly enough for programs to follow."""
        self._ask("xdotool", "mousemove", *map(str, start), "mousedown", "1")
        for step in range(1, 11):
            between = (start.x + (end.x - start.x) * step // 10, start.y + (end.y - start.y) * step // 10)
            self._ask("xdotool", "mousemove", *map(str, between), "sleep", "0.03")
        self._ask("xdotool", "mousemove_relative", "1", "1", "sleep", "0.2", "mouseup", "1")

    def key(self, *names: str) -> None:
        """Press keys one after the other, such as `Return` or `ctrl+c`, where the focus is."""
        self._ask("xdotool", "key", "--delay", "40", *names)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self._ask("xdotool", "type", "--delay", "20", "--", text)

    def _clients(self) -> list[int]:
        return _numbers(self._ask("xprop", "-root", "_NET_CLIENT_LIST"))

    def _title(self, window: int) -> str:
        return self._ask("xdotool", "getwindowname", str(window), checked=False).rstrip("\n")

    def _class(self, window: int) -> str:
        return self._ask("xprop", "-id", str(window), "WM_CLASS", checked=False)

    def _ask(self, *command: str, checked: bool = True, **variables: str) -> str:
        """Return what a command says; it may only fail, as of a window that has gone meanwhile, if not `checked`."""
        finished = subprocess.run(
            command, env=self.user.environment(variables), capture_output=True, text=True, check=False, timeout=LIMIT
        )
        assert not checked or finished.returncode == 0, f"{shlex.join(command)}: {finished.stderr}"
        return finished.stdout


@contextmanager
def start(user: User, *, accessible: bool = False) -> Iterator[Desktop]:
    """Log a user in on a new desktop; with all that runs on it, it ends with the block.

    What lets screen readers read windows is there where it is asked for: it costs each program half a second.
    """
    runtime = Path(tempfile.mkdtemp(prefix="scriptrun-desktop-"))  # sockets have short names
    desktop = Desktop(user, runtime)
    user.variables.update(XDG_RUNTIME_DIR=str(runtime), GVFS_DISABLE_FUSE="1")
    if not accessible:
        user.variables["NO_AT_BRIDGE"] = "1"
    try:
        with _screen() as display:
            user.variables["DISPLAY"] = display
            try:
                _log_in(desktop)
                yield desktop
            finally:
                _log_out(desktop)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


@contextmanager
def _screen() -> Iterator[str]:
    """Start an X server and yield the name of its display; it takes the first number that is free."""
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1280x800x24", "-dpi", "96", "-nolisten", "tcp"]
    with subprocess.Popen([*command, "-noreset"], pass_fds=[theirs], stderr=subprocess.DEVNULL) as server:
        os.close(theirs)
        with open(ours) as number:
            try:
                display = number.readline().strip()
                assert display, "Xvfb has not started"
                yield f":{display}"
            finally:
                server.terminate()  # not killed: it takes its socket and its lock away


def _log_in(desktop: Desktop) -> None:
    """Start the session bus and the window manager, and wait until both are there."""
    address = f"unix:path={desktop.runtime}/bus"
    desktop.user.variables["DBUS_SESSION_BUS_ADDRESS"] = address
    for name, command in (
        ("bus-ready", f"dbus-daemon --session --nofork --nosyslog --address={address} --print-pid=9 9>{{}}"),
        ("manager-ready", "openbox --sm-disable --startup 'sh -c \"echo >{}\"'"),
    ):
        fifo = desktop.runtime / name
        os.mkfifo(fifo)
        desktop.start("sh", "-c", "exec " + command.format(fifo))
        watch.receive(fifo)


def _log_out(desktop: Desktop) -> None:
    """End all that was started on the desktop."""
    while pids := desktop.processes():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        watch.await_end(pids)
    for process in desktop.started:
        process.wait()


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _numbers(text: str) -> list[int]:
    return [int(number, 16) for number in re.findall(r"0x[0-9a-f]+", text)]


def _centre(row: dict[str, str], corner: Point, scale: int) -> Point:
    left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
    return Point(corner.x + (left + width // 2) // scale, corner.y + (top + height // 2) // scale)
