"""The first double click on a script, in a real file manager: what somebody sees who has never seen a terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop as desktops
from support import desktop_home, folder, index, pages, watch
from support import user as users
from support.desktop import LIMIT, Desktop, Point
from support.index import Index

HEAD = "# /// script\n# {}\n# ///\n"
NOTHING = "dependencies = []"
OWN = "import os\nos.execlp('zenity', 'zenity', '--info', '--title', 'My holiday', '--text', {})\n"
"""A script that becomes a window of its own."""

SEEN = pages.section("docs/desktop.md", "What you see")
"""What somebody is told who opens scripts."""

SENTENCE = pages.blocks(SEEN, "text")[0].partition("”")[2]
"""What follows the name of a script in the failure that the page shows."""

CLOSED = "http://127.0.0.1:9/simple"
"""An index that is not there."""

FULL = """\
mount -t tmpfs -o size=12k,mode=700 tmpfs "$1"
mkdir "$1/cache" "$1/state"
head -c 4096 /dev/zero >"$1/all"
while head -c 4096 /dev/zero >>"$1/all"; do :; done 2>/dev/null
shift
exec "$@"
"""
"""What runs a command with no room on the disk for what scriptrun writes."""


@pytest.fixture(scope="module")
def served() -> Iterator[Index]:
    """An index of this module's own."""
    with index.serve() as one:
        one.add(index.wheel("demo", "1.0"), index.wheel("demo", "2.0"))
        yield one


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory, command: Path, served: Index) -> Iterator[Desktop]:
    """A desktop where a double click runs scripts."""
    desktop_home.require()
    user = users.create(tmp_path_factory.mktemp("desktop"), command, served.url)
    user.variables.update(XDG_CURRENT_DESKTOP="XFCE", TERMINAL="xterm -fa Monospace -fs 13", PIP_RETRIES="0")
    folder.give_editor(user, "editor")
    assert user.run("scriptrun", "desktop", "install", "--default").status == 0
    with desktops.start(user) as started:
        yield started


def write(directory: Path, name: str, text: str) -> Path:
    """Write a file into a directory of the user's, made where it is not there, and return its path."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text)
    return directory / name


def kept(state: Path) -> list[str]:
    """Return the files that scriptrun has in a directory for the state of programs."""
    return [path.name for path in state.glob("scriptrun/*") if path.is_file()]


def in_cache(desktop: Desktop) -> list[Path]:
    """Return what there is of environments in the cache, complete or not, and what remembers them."""
    parts = ("v1/envs/*/*/*", "v1/isolated/*", "v1/launch/**/@record")
    return [path for part in parts for path in desktop.user.cache.glob(part)]


def test_a_window_shows_the_first_run_and_goes_for_that_of_the_script(desktop: Desktop, served: Index) -> None:
    """It comes while something is fetched, and goes when the script's own one is there; then nothing is fetched."""
    text = HEAD.format("dependencies = ['demo==1.0']") + "import demo\n" + OWN.format("demo.V")
    script = write(desktop.user.home / "First", "Holiday.pyw", text)
    gate = watch.Gate(served)
    with folder.show(desktop, "Thunar", script.parent) as shown:
        icon = shown.icon("Holiday.pyw")
        desktop.click(icon, times=2)
        gate.wait()
        window = desktop.window("^Holiday.pyw$", of="(?i)scriptrun")
        assert "Preparing Holiday.pyw" in SEEN
        desktop.shows("Preparing Holiday.pyw", window)
        desktop.picture("double-click-preparing")
        gate.open()
        own = desktop.window("^My holiday$")
        desktop.closed(window)
        assert desktop.windows() == ["First - Thunar", "My holiday"]
        desktop.key("Return")
        desktop.closed(own)
        asked = len(served.requests)
        desktop.click(icon, times=2)
        own = desktop.window("^My holiday$")
        assert desktop.windows() == ["First - Thunar", "My holiday"]
        assert len(served.requests) == asked, "it was ready"
        desktop.key("Return")
        desktop.closed(own)


@pytest.mark.slow
def test_cancel_leaves_nothing_behind(desktop: Desktop, served: Index) -> None:
    """Neither an environment, nor a process, nor a window that tells of it, nor a log."""
    text = HEAD.format("dependencies = ['demo==2.0']") + "import demo\n" + OWN.format("demo.V")
    script = write(desktop.user.home / "Cancelled", "Holiday.pyw", text)
    before = in_cache(desktop)
    gate = watch.Gate(served)
    with folder.show(desktop, "Thunar", script.parent) as shown:
        shown.double_click("Holiday.pyw")
        gate.wait()
        window = desktop.window("^Holiday.pyw$", of="(?i)scriptrun")
        processes = watch.processes(script)
        assert processes
        desktop.press("Cancel", window)
        desktop.closed(window)
        watch.await_end(processes)
        assert desktop.windows() == ["Cancelled - Thunar"]
    gate.open()
    assert (watch.processes(script), in_cache(desktop), kept(desktop.user.home / ".local/state")) == ([], before, [])


@pytest.mark.slow
def test_a_download_is_shown_before_it_runs(desktop: Desktop) -> None:
    """A window says what it is; after Run it runs. At the second double click nothing is asked."""
    text = HEAD.format("dependencies = ['demo']") + OWN.format("'1'")
    script = write(desktop.user.home / "Downloads", "Holiday.pyw", text)
    with folder.show(desktop, "Thunar", script.parent) as shown:
        icon = shown.icon("Holiday.pyw")
        desktop.click(icon, times=2)
        window = desktop.window("^Run Holiday.pyw")
        desktop.shows("it is in your downloads folder", window)
        desktop.picture("double-click-download")
        assert desktop.windows() == ["Downloads - Thunar", "Run Holiday.pyw?"]
        desktop.press("Run", window)
        desktop.closed(window)
        own = desktop.window("^My holiday$")
        desktop.key("Return")
        desktop.closed(own)
        desktop.click(icon, times=2)
        own = desktop.window("^(My holiday|Run .*)$")
        assert desktop.windows() == ["Downloads - Thunar", "My holiday"]
        desktop.key("Return")
        desktop.closed(own)


@pytest.mark.slow
def test_a_script_that_dies_says_so_in_a_window(desktop: Desktop) -> None:
    """One sentence, what the script wrote behind Details, and all of it on the clipboard by Copy; the log goes."""
    script = write(desktop.user.home / "Broken", "Photos.pyw", HEAD.format(NOTHING) + "print('begun')\n1 / 0\n")
    with folder.show(desktop, "Thunar", script.parent) as shown:
        shown.double_click("Photos.pyw")
        window = desktop.window("^Photos.pyw$", of="(?i)scriptrun")
        desktop.shows("has stopped because of an error", window)
        desktop.picture("double-click-died")
        desktop.press("Copy", window)
        desktop.press("Details", window)
        desktop.find("Traceback", window)
        desktop.picture("double-click-died-details")
        copied = clipboard(desktop)
        assert copied.startswith("Photos.pyw\n\n“Photos.pyw” has stopped because of an error that it did not expect: ")
        assert "begun\nTraceback (most recent call last):\n" in copied
        processes = watch.processes(script)
        desktop.press("Close", window)
        desktop.closed(window)
        watch.await_end(processes)
        assert (desktop.windows(), kept(desktop.user.home / ".local/state")) == (["Broken - Thunar"], [])


def clipboard(desktop: Desktop) -> str:
    """Return the text on the clipboard."""
    command = ["xclip", "-o", "-selection", "clipboard"]
    environ = desktop.user.environment()
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=LIMIT).stdout


@pytest.mark.slow
def test_a_file_that_is_dropped_on_an_entry_is_given_to_the_script(desktop: Desktop) -> None:
    """What `desktop add --on-desktop` puts there takes files as arguments, by the mouse."""
    home = desktop.user.home
    os.mkfifo(home / "given")
    tell = f"import sys\nopen({str(home / 'given')!r}, 'w').write('\\n'.join(sys.argv[1:]))\n"
    script = write(home / "Tools", "count.pyw", HEAD.format(NOTHING) + tell)
    photo = write(home / "Letters", "to ada.txt", "Dear Ada\n")
    assert desktop.user.run("scriptrun", "desktop", "add", "--on-desktop", script).status == 0
    with (
        folder.show(desktop, "Thunar", photo.parent) as letters,
        folder.show(desktop, "Thunar", home / "Desktop") as entries,
    ):
        desktop.move(letters.window, Point(0, 0))
        desktop.move(entries.window, Point(640, 200))
        desktop.picture("before-drop-entry")
        start, end = letters.icon("to ada.txt"), entries.icon("Count.desktop")
        desktop.drag(start, end)
        assert watch.receive(home / "given") == str(photo)


FAILURES = {
    "another-python": ('requires-python = ">=3.99"', "which is not installed"),
    "no-index": ('dependencies = ["demo"]', "cannot be fetched"),
    "full-disk": (NOTHING, "the disk is full"),
    "typo": ('dependencies = ["demo]', "there is a mistake in it, in line 2"),
}
"""What may go wrong at the first double click: what the block says, and what is told."""


@pytest.mark.slow
@pytest.mark.parametrize("case", FAILURES)
def test_a_first_double_click_that_fails(desktop: Desktop, case: str) -> None:
    """In a terminal and in a window, one sentence says why; the picture is kept. Nothing is left behind."""
    head, told = FAILURES[case]
    directory, room = desktop.user.home / case, desktop.user.home / f"room-{case}"
    for path in (room, room / "cache", room / "state"):
        path.mkdir(mode=0o700)
    around = ["unshare", "-m", "sh", "-ec", FULL, "-", str(room)] if case == "full-disk" else []
    variables = {"SCRIPTRUN_CACHE_DIR": str(room / "cache"), "XDG_STATE_HOME": str(room / "state")}
    for name in ("Letter.py", "Photos.pyw"):
        write(directory, name, HEAD.format(head))
    with folder.show(desktop, "Thunar", directory, *around, PIP_INDEX_URL=CLOSED, **variables) as shown:
        icons = {name: shown.icon(name) for name in ("Letter.py", "Photos.pyw")}
        for name, of, key in (("Letter.py", "XTerm", "x"), ("Photos.pyw", "(?i)scriptrun", "alt+F4")):
            desktop.click(icons[name], times=2)
            desktop.shows(told)  # in a window that may follow one of progress
            window = desktop.window(f"^{name}$", of=of)
            if told in SENTENCE:
                desktop.shows(SENTENCE, window)
            desktop.picture(f"double-click-{case}-{name.rpartition('.')[2]}")
            processes = watch.processes(directory / name)
            desktop.key(key)
            desktop.closed(window)
            watch.await_end(processes)
            seen = Path(f"/proc/{shown.manager}/root{room}/state")  # as the file manager sees it
            assert (desktop.windows(), kept(seen)) == ([f"{case} - Thunar"], [])
