"""What is shown while an environment is prepared: one changing line on a terminal, nothing elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from support import index as indexes
from support import terminal
from support.user import User

from scriptrun.arguments import Options
from scriptrun.cli import progress
from scriptrun.cli.progress import Progress
from scriptrun.desktop import dialogs

ERASE = "\r\x1b[K"


def on_terminal(
    user: User, *command: str, columns: int = 80, variables: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command whose stderr is a terminal; return status, stdout, and what came to the terminal."""
    given = {"TERM": "xterm", "COLUMNS": str(columns), **(variables or {})}
    return terminal.run(user, *command, on=(2,), variables=given)


def test_a_terminal_shows_one_line_that_changes_and_goes(user: User) -> None:
    """On a terminal each step replaces the one before, within the width; in the end the line is erased."""
    user.script("s.py", "other", body="print('ran')\n")
    status, out, seen = on_terminal(user, "./s.py", columns=40)
    assert (status, out) == (0, "ran\n")
    assert "\n" not in seen
    assert seen.endswith(ERASE)
    steps = seen.removesuffix(ERASE).split(ERASE)
    assert steps[:2] == ["", "scriptrun: creating a virtual environment"[:39]]
    assert [step for step in steps if step.startswith("scriptrun: Collecting other")]
    assert [step for step in steps if step.startswith("scriptrun: Installing")]
    assert max(len(step) for step in steps) <= 39


def test_a_failure_on_a_terminal_stands_alone(user: User) -> None:
    """The error replaces the line of progress."""
    user.script("s.py", "nosuch")
    status, _, seen = on_terminal(user, "./s.py")
    assert status == 125
    assert re.search(r"\r\x1b\[Kscriptrun: error: \./s\.py:4: no such distribution: `nosuch`\n", seen)


@pytest.mark.parametrize(
    ("options", "variables"),
    [(["-q"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": ""}), ([], {"SCRIPTRUN_QUIET": "1"})],
    ids=["-q", "a dumb terminal", "no TERM", "SCRIPTRUN_QUIET"],
)
def test_a_terminal_that_wants_none_gets_none(user: User, options: list[str], variables: dict[str, str]) -> None:
    """With `-q`, and on a terminal that cannot erase a line, nothing is written."""
    user.script("s.py", body="print('ran')\n")
    assert on_terminal(user, "scriptrun", *options, "./s.py", variables=variables) == (0, "ran\n", "")


def test_a_window_shows_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody waits without a terminal a window of the script's name gets the steps, until the block ends."""
    shown: list[str] = []

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
                steps.show("  Collecting demo")
                steps.show("  Stored in directory x")
    assert shown == ["s.py", "Collecting demo", "Collecting demo", "gone"]
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
    assert lines[-1] == "scriptrun: checking what was installed"


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
    assert seen.replace(ERASE, "").replace("\n", "").isprintable()


def test_a_terminal_that_opened_for_a_script_says_what_it_waits_for(user: User) -> None:
    """At a double click a first run begins with plain words, once; one that was typed has no need of them."""
    user.script("re\u202eport.py", body="print('ran')\n")
    attended = ("scriptrun-attend", "terminal", "never", "re\u202eport.py")
    said = "Preparing re\\u202eport.py; this happens only once.\n"
    shown = [on_terminal(user, *attended)[2] for _ in range(2)]
    assert ([text.count(said) for text in shown], shown[1].count("Preparing")) == ([1, 0], 0)
    user.script("typed.py", "demo")
    assert "Preparing" not in on_terminal(user, "scriptrun", "typed.py")[2]
