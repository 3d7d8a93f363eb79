"""What is shown while an environment is prepared: lines that change on a terminal, nothing elsewhere."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support import index as indexes
from support import terminal, watch
from support.index import Index
from support.user import LIMIT, User

from scriptrun.arguments import Options
from scriptrun.cli import progress
from scriptrun.cli.progress import Progress
from scriptrun.desktop import dialogs

ERASE = "\r\x1b[K"


def on_terminal(
    user: User,
    *command: str,
    columns: int = 80,
    variables: dict[str, str] | None = None,
    typed: Sequence[tuple[str, str | terminal.Act]] = (),
) -> tuple[int, str, str]:
    """Run a command whose stderr is a terminal; return status, stdout, and what came to the terminal."""
    given = {"TERM": "xterm", **(variables or {})}
    return terminal.run(user, *command, on=(2,), columns=columns, variables=given, typed=typed)


class Held:
    """What keeps pip until it may go on: a download after its first part, and a build."""

    def __init__(self, built: Path) -> None:
        self.built = built
        self.begun = threading.Event()
        self._sent = threading.Event()

    def send(self, _path: str, file: io.BufferedIOBase, body: bytes) -> None:
        """Send an answer: a large one in two parts."""
        file.write(body[:600_000])
        file.flush()
        if len(body) > 600_000:
            self.begun.set()
            assert self._sent.wait(LIMIT)
            file.write(body[600_000:])

    def release(self, *_: int) -> None:
        """Let all go on."""
        self._sent.set()
        self.built.touch()

    def release_download(self, *_: int) -> None:
        """Let the download go on."""
        self._sent.set()


def waiting_backend(mark: Path) -> dict[str, str]:
    """Return a project that is built when there is a file."""
    backend = f"""
import os, time, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    while not os.path.exists({str(mark)!r}):
        time.sleep(0.01)
    with zipfile.ZipFile(directory + "/made-3.0-py3-none-any.whl", "w") as wheel:
        for name, text in (
            ("made.py", "V = 3\\n"),
            ("made-3.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: made\\nVersion: 3.0\\n"),
            ("made-3.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"),
            ("made-3.0.dist-info/RECORD", "made.py,,\\nmade-3.0.dist-info/RECORD,,\\n"),
        ):
            wheel.writestr(name, text)
    return "made-3.0-py3-none-any.whl"
"""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return {"pyproject.toml": project, "backend.py": backend}


@pytest.fixture
def slow(user: User, index: Index) -> Held:
    """An index on which `big` requires `made`: its download stops, and so does the build of `made`, until released."""
    content = {"big.py": "".join(f"#{number:>9}" for number in range(100_000))}
    index.add(indexes.wheel("big", "1.0", files=content, requires=["made"]))
    held = Held(user.directory / "go-on")
    index.add(indexes.sdist("made", "3.0", waiting_backend(held.built)))
    index.send = held.send
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "big", body="print('ran')\n")
    return held


def texts(shown: str) -> list[str]:
    """Return the lines that came to a terminal, without what moves and colours, and without the spinner."""
    plain = re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "\n", re.sub(r"\x1b\[[0-9;]*m", "", shown)).replace("\r", "\n")
    return [re.sub(r"^[⠀-⣿|/\\-] ", "", line).rstrip() for line in plain.split("\n") if line.strip()]


def without_time(lines: list[str]) -> list[str]:
    """Return lines without how long something took."""
    return [re.sub(r"in \d+\.\d s$", "in …", line) for line in lines]


def test_a_terminal_shows_what_pip_does(user: User, slow: Held) -> None:
    """What is needed, a download with size and rate, and a build are seen while they last; one line stays."""
    acts: list[tuple[str, str | terminal.Act]] = [
        ("262 kB of 1.0 MB", slow.release_download),
        ("building made", slow.release),
    ]
    status, out, seen = on_terminal(user, "./s.py", typed=acts)
    assert (status, out) == (0, "ran\n")
    lines = texts(seen)
    steps = ["creating a virtual environment", "asking pip: pip never looked at `big`", "finding out what is needed"]
    assert lines[:3] == [f"scriptrun: {step}" for step in steps]
    assert [line for line in lines if re.fullmatch(r"downloading big 1\.0 +\d+ s", line)]
    assert [line for line in lines if re.fullmatch(r"  big 1\.0 +[━╸╺]+ +262 kB of 1\.0 MB +[\d.]+ [kM]?B/s", line)]
    assert [line for line in lines if re.fullmatch(r"  big 1\.0 +━+ +1\.0 MB +[\d.]+ [kM]?B/s", line)]
    assert without_time(terminal.screen(seen)) == ["scriptrun: prepared 2 distributions in …", ""]
    assert "\x1b[?25" not in seen  # the cursor was never hidden


@pytest.mark.parametrize(
    ("options", "variables"),
    [(["-q"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": "unknown"}), ([], {"SCRIPTRUN_QUIET": "1"})],
    ids=["-q", "a dumb terminal", "an unknown terminal", "SCRIPTRUN_QUIET"],
)
def test_a_terminal_that_wants_none_gets_none(user: User, options: list[str], variables: dict[str, str]) -> None:
    """With `-q`, and on a terminal that cannot erase a line, nothing is written."""
    user.script("s.py", "demo", body="print('ran')\n")
    assert on_terminal(user, "scriptrun", *options, "./s.py", variables=variables) == (0, "ran\n", "")


@pytest.mark.slow
def test_a_small_terminal_that_changes_its_size(user: User, slow: Held) -> None:
    """What is shown fits 20 columns, cut where it must be, and another width as soon as there is one."""
    acts: list[tuple[str, str | terminal.Act]] = [
        ("1.0 MB", lambda _, ours: terminal.resize(ours, 60)),
        ("262 kB of 1.0 MB", lambda _, ours: terminal.resize(ours, 20, lines=2)),
        ("downloading bi…", slow.release_download),
        ("building made", slow.release),
    ]
    status, out, seen = on_terminal(user, "./s.py", columns=20, typed=acts)
    assert (status, out) == (0, "ran\n")
    before = seen.partition("1.0 MB")[0]
    after = seen.rpartition("downloading bi…")[2].partition("scriptrun: prepared")[0]
    assert max(len(line) for line in texts(f"{before}\n{after}")) <= 17
    assert "big 1.0" not in after  # there is room for one line


@pytest.mark.parametrize("how", ["^C", "SIGTERM", "SIGHUP", "pip is killed"])
def test_what_breaks_off_leaves_a_clean_line(user: User, slow: Held, how: str) -> None:
    """After a signal, and when pip dies, the error stands alone; nothing is left of what changed."""

    def kill_pip(process: int, _: int) -> None:
        for child in psutil.Process(process).children(recursive=True):
            child.kill()

    acts: dict[str, str | terminal.Act] = {
        "^C": "\x03",
        "SIGTERM": lambda process, _: os.kill(process, signal.SIGTERM),
        "SIGHUP": lambda process, _: os.kill(process, signal.SIGHUP),
        "pip is killed": kill_pip,
    }
    status, out, seen = on_terminal(user, "./s.py", typed=[("262 kB of 1.0 MB", acts[how])])
    slow.release()
    numbers = {"^C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}
    first, *_, last = terminal.screen(seen)
    if how in numbers:
        number = int(numbers[how])
        assert (status, first) == (
            128 + number,
            f"scriptrun: error: interrupted by signal {number} while preparing the environment",
        )
    else:
        assert (status, first) == (125, "scriptrun: error: pip could not install what the script asks for")
    assert (out, last, "Traceback" in seen, "Progress" in seen) == ("", "", False, False)
    assert "\x1b[?25" not in seen  # the cursor was never hidden


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["", "NO_COLOR"])
def test_colours_only_for_who_wants_them(user: User, slow: Held, variables: dict[str, str], *, coloured: bool) -> None:
    """NO_COLOR is heeded, as everywhere."""
    slow.release_download()
    seen = on_terminal(user, "./s.py", variables=variables, typed=[("building made", slow.release)])[2]
    assert "big 1.0" in seen
    assert bool(re.search(r"\x1b\[[0-9;]*[34][0-9]m", seen)) == coloured


def test_who_waits_for_another_run_is_told_so(user: User, slow: Held) -> None:
    """A second terminal says what it waits for, and then nothing: it has prepared nothing."""
    first = watch.start(user, "./s.py")
    assert slow.begun.wait(LIMIT)
    waiting = "scriptrun: waiting for another run to prepare it"
    status, out, seen = on_terminal(user, "./s.py", typed=[(waiting, slow.release)])
    assert (status, out, terminal.screen(seen)) == (0, "ran\n", [""])
    assert watch.end(first) == (0, "ran\n", "")


@pytest.mark.slow
def test_what_is_put_together_without_pip_is_told_too(user: User) -> None:
    """An environment for one run leaves the same line; one that was removed is there again before there is one."""
    user.script("s.py", "other", body="print('ran')\n")
    told = ["scriptrun: prepared 2 distributions in …", ""]
    assert without_time(terminal.screen(on_terminal(user, "./s.py")[2])) == told
    assert terminal.screen(on_terminal(user, "./s.py")[2]) == [""]
    for environment in user.environments():
        shutil.rmtree(environment)
    assert terminal.screen(on_terminal(user, "./s.py")[2]) == [""]
    for command in (["scriptrun", "--isolated", "s.py"], ["scriptrun", "sync", "--refresh", "s.py"]):
        status, _, seen = on_terminal(user, *command)
        assert (status, without_time(terminal.screen(seen))) == (0, told), command


def test_what_only_chooses_says_so(user: User) -> None:
    """Commands that prepare nothing tell how many distributions pip has chosen, before what they have to tell."""
    user.script("s.py", "other")
    resolved = "scriptrun: resolved 2 distributions in …"
    for command in ("export", "tree", "lock"):
        assert without_time(terminal.screen(on_terminal(user, "scriptrun", command, "s.py")[2]))[0] == resolved, command
    seen = on_terminal(user, "scriptrun", "add", "s.py", "tool")[2]
    assert "scriptrun: resolved 3 distributions in …" in without_time(terminal.screen(seen))


SEES = """\
import os, sys
said = []
sys.addaudithook(lambda event, _: event == "subprocess.Popen" and said.append("rich" in sys.modules))
def say(*_):
    print(*said, "rich" in sys.modules, flush=True)
    os._exit(0)
os.execve = say
sys.argv[:] = ["scriptrun", "s.py"]
from scriptrun.decide import main
main(["s.py"], os.environ)
"""


def test_what_draws_is_imported_when_pip_has_spoken(user: User) -> None:
    """Neither the start of pip nor what needs no pip waits for the import of `rich`; a pipe never does."""
    python = [sys.executable, "-I", "-c", SEES]
    user.script("s.py")
    assert set(on_terminal(user, *python)[1].split()) == {"False"}
    user.script("s.py", "demo")
    *starts, end = on_terminal(user, *python)[1].split()
    assert (set(starts), end) == ({"False"}, "True")
    for environment in user.environments():
        shutil.rmtree(environment)
    assert set(on_terminal(user, *python)[1].split()) == {"False"}
    user.script("s.py", "tool")
    assert set(user.run(*python).out.split()) == {"False"}


def test_a_failure_after_much_was_shown(user: User, slow: Held, index: Index) -> None:
    """The error of a pip that had much to show stands alone, and holds nothing of what only counts."""
    slow.release()
    index.hashes["big-1.0-py3-none-any.whl"] = "0" * 64
    status, _, seen = on_terminal(user, "./s.py")
    assert (status, "Progress" in seen) == (125, False)
    first = "scriptrun: error: ./s.py:4: refused: the file of `big` does not have the hash that was announced for it"
    assert terminal.screen(seen)[0] == first


def test_verbose_does_not_count(user: User, slow: Held) -> None:
    """How much of a download has come is no line that is kept."""
    slow.release()
    status, out, err = user.run("scriptrun", "-v", "s.py")
    assert (status, out, "Progress" in err) == (0, "ran\n", False)
    assert "\nscriptrun: Downloading " in err


def test_a_window_shows_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody waits without a terminal a window of the script's name gets the steps, until the block ends."""
    shown: list[str] = []
    told = ["finding out what is needed: demo", "downloading demo 1.0", "downloading demo 1.0 (5 B of 9 B)"]

    @contextmanager
    def window(title: str, _environ: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
        shown.append(title)
        yield shown.append
        shown.append("gone")

    monkeypatch.setattr(dialogs, "progress", window)
    with progress.window("/a/s.py", {"SCRIPTRUN_ATTENDED": f"{os.getppid()} window "}) as sink:
        steps = Progress(Options(), sink)
        for _ in range(2):
            with steps:
                for line in ("  Collecting demo", "  Stored in directory x", "  other", "Looking in indexes: x"):
                    steps.show(line)
                steps.show("Downloading demo-1.0-py3-none-any.whl.metadata (5 kB)")
                steps.show("Downloading demo-1.0-py3-none-any.whl")
                steps.show("Progress 5 of 9")
    assert shown == ["s.py", *told * 2, "gone"]
    for nobody in ("1 window ", f"{os.getppid()} terminal /x", f"{os.getppid()} window /x"):
        with progress.window("/a/s.py", {"SCRIPTRUN_ATTENDED": nobody}) as sink:
            assert sink is None


def test_a_pipe_gets_nothing(user: User) -> None:
    """Where stderr is no terminal a first run that succeeds is silent."""
    user.script("s.py", "demo", body="print('ran')\n")
    assert user.run("./s.py", TERM="xterm") == (0, "ran\n", "")


def test_verbose_keeps_every_line(user: User) -> None:
    """With `-v` every step and every line of pip's is written, on a pipe too, in plain lines."""
    user.script("s.py", "demo", body="print('ran')\n")
    status, out, err = user.run("scriptrun", "-v", "./s.py", TERM="xterm")
    lines = err.splitlines()
    assert (status, out) == (0, "ran\n")
    assert [line for line in lines if not (line.startswith("scriptrun: ") and line.isprintable())] == []
    assert lines[0] == "scriptrun: creating a virtual environment"
    assert "scriptrun: Collecting demo" in lines
    assert without_time(lines[-2:]) == [
        "scriptrun: checking what was installed",
        "scriptrun: prepared 1 distribution in …",
    ]


def test_verbose_on_a_terminal_erases_nothing(user: User) -> None:
    """The lines of `-v` stay, on a terminal as well."""
    user.script("s.py", body="print('ran')\n")
    status, out, seen = on_terminal(user, "scriptrun", "-v", "./s.py")
    assert (status, out, seen) == (0, "ran\n", "scriptrun: creating a virtual environment\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-", "<&-"])
def test_a_broken_stream_does_not_stop_a_first_run(user: User, redirection: str) -> None:
    """Where nothing can be written to stderr, or stdin is closed, the first run still prepares and runs."""
    user.script("s.py", body="open('ran', 'w').close()\n")
    assert user.run("sh", "-c", f"scriptrun -v ./s.py {redirection}").status == 0
    assert (user.directory / "ran").exists()


def test_control_characters_in_a_step_are_escaped(user: User) -> None:
    """What a build writes is shown with its control characters escaped, in the line of progress too."""
    with indexes.serve() as index:
        index.add(indexes.wheel("demo", "1.0", requires=["other\x1b[31m"]))
        user.script("s.py", "demo")
        _, _, seen = on_terminal(user, "./s.py", variables={"PIP_INDEX_URL": index.url})
    assert [line for line in texts(seen) if not line.isprintable()] == []


def test_a_terminal_that_opened_for_a_script_says_what_it_waits_for(user: User) -> None:
    """At a double click a first run begins with plain words, once; one that was typed has no need of them."""
    user.script("re\u202eport.py", body="print('ran')\n")
    attended = ("scriptrun-attend", "terminal", "never", "re\u202eport.py")
    said = "Preparing re\\u202eport.py; this happens only once.\n"
    shown = [on_terminal(user, *attended)[2] for _ in range(2)]
    assert ([text.count(said) for text in shown], shown[1].count("Preparing")) == ([1, 0], 0)
    user.script("typed.py", "demo")
    assert "Preparing" not in on_terminal(user, "scriptrun", "typed.py")[2]
