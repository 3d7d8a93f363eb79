"""`scriptrun --help`, `--version`, and what is said of a command line that means nothing."""

from __future__ import annotations

import subprocess

import pytest
from support.user import LIMIT, User

import scriptrun
from scriptrun.arguments import COMMANDS, OPTIONS

DATA = ("--help", "--version", "env s.py --json", "env s.py", "python list", "cache dir", "--explain s.py")
"""Command lines that print data."""


def test_version(user: User) -> None:
    """`--version` and `-V` print name and version, and nothing else."""
    expected = (0, f"scriptrun {scriptrun.__version__}\n", "")
    assert [user.run("scriptrun", word) for word in ("--version", "-V")] == [expected, expected]


def test_help_fits_a_terminal_and_begins_with_an_example(user: User) -> None:
    """The help has examples before the usage, the whole of it in 80 columns of plain characters."""
    status, out, err = user.run("scriptrun", "--help")
    assert (status, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert out.isascii()
    assert out.index("# /// script") < out.index("./hello.py") < out.index("More examples:") < out.index("Usage:")


@pytest.mark.slow
def test_example_of_the_help_runs(user: User) -> None:
    """The script in the help, with a distribution that the test's index has, runs as the help says."""
    lines = user.run("scriptrun", "--help").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  #!"))
    script = [line.removeprefix("  ") for line in lines[start : lines.index("", start)]]
    text = "\n".join(script).replace('"rich"', '"demo"').replace("from rich import print", "import demo")
    user.write("hello.py", text + "\n", executable=True)
    assert user.run("./hello.py") == (0, "[bold]Hello[/bold]\n", "")


def test_help_names_every_option_and_command(user: User) -> None:
    """Each option, with its letter, and each command is in the help."""
    out = user.run("scriptrun", "-h").out
    for option in OPTIONS:
        assert f"--{option.name}" in out
        assert not option.letter or f"-{option.letter}, --{option.name}" in out
    for name in COMMANDS:
        assert f"\n  {name} " in out


def test_help_of_a_command(user: User) -> None:
    """`--help` and `-h` anywhere behind a command show the help, and do nothing else."""
    page = user.run("scriptrun", "--help")
    for words in ("env --help", "env -h", "env s.py --json --help", "python --help", "python find -h", "cache -qh"):
        assert user.run("scriptrun", *words.split()) == page
    assert not user.cache.exists()


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("", "no script given", "`scriptrun --help`"),
        ("--", "no script given", "`scriptrun --help`"),
        ("-q", "no script given", "`scriptrun --help`"),
        ("evn s.py", "unknown command `evn`", "`env`"),
        ("pyhton list", "unknown command `pyhton`", "`python`"),
        ("help", "unknown command `help`", "`--help`"),
        ("python lits", "unknown command `python lits`", "`python list`"),
        ("python fnd s.py", "unknown command `python fnd`", "`python find`"),
        ("cache dri", "unknown command `cache dri`", "`cache dir`"),
        ("--refesh s.py", "unknown option `--refesh`", "`--refresh`"),
        ("--wiht=x s.py", "unknown option `--wiht`", "`--with`"),
        ("env s.py --jsno", "unknown option `--jsno`", "`--json`"),
        ("--json s.py", "unknown option `--json`", ""),
        ("desktop", "`scriptrun desktop` takes a word more", "one of: add, install, open, remove, status, uninstall"),
        ("desktop status x", "`scriptrun desktop status` takes no `x`", "`scriptrun --help`"),
        ("cache dir --json", "`scriptrun cache dir` has no option `--json`", "`scriptrun --help`"),
        ("-z s.py", "unknown option `-z`", "`scriptrun --help`"),
        ("env", "`scriptrun env` takes one script", "scriptrun env SCRIPT [--json]"),
        ("env a b", "`scriptrun env` takes one script", "scriptrun env SCRIPT [--json]"),
        ("python", "`scriptrun python` takes `list`", "scriptrun python find SCRIPT"),
        ("python find", "`scriptrun python` takes `list`", "scriptrun python find SCRIPT"),
        ("python list s.py", "`scriptrun python` takes `list`", "scriptrun python find SCRIPT"),
        ("cache", "`scriptrun cache` takes a word more", "one of: "),
        ("cache dir x", "`scriptrun cache dir` takes no `x`", "`scriptrun --help`"),
        ("env s.py -p 3 --python 4", "`--python` is given twice", ""),
        ("--refresh=1 s.py", "`--refresh` takes no value", ""),
    ],
)
def test_wrong_use(user: User, words: str, message: str, hint: str) -> None:
    """A command line that means nothing is status 2, with the nearest name or how it is done, and no stdout."""
    user.script("s.py")
    status, out, err = user.run("scriptrun", *words.split())
    lines = err.splitlines()
    assert (status, out) == (2, "")
    assert lines[0].startswith(f"scriptrun: error: {message}")
    assert not hint or (lines[1].startswith("hint: ") and hint in lines[1])


@pytest.mark.parametrize("words", DATA)
def test_reader_that_has_gone(user: User, words: str) -> None:
    """A reader that closes the pipe early ends the command in silence."""
    user.script("s.py")
    process = subprocess.Popen(
        ["sh", "-c", f"read go; exec scriptrun {words}"],
        cwd=user.directory,
        env=user.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(b"go\n", timeout=LIMIT)
    assert (process.returncode, err) == (-13, b"")


@pytest.mark.slow
@pytest.mark.parametrize("words", DATA)
def test_stdout_that_cannot_be_written_to(user: User, words: str) -> None:
    """A full disk or a closed stdout is an error of scriptrun's, not a traceback."""
    user.script("s.py")
    full = user.run("sh", "-c", f"scriptrun {words} >/dev/full")
    assert full == (125, "", "scriptrun: error: stdout cannot be written to: No space left on device\n")
    closed = user.run("sh", "-c", f"scriptrun {words} >&-")
    assert closed == (125, "", "scriptrun: error: stdout cannot be written to: Bad file descriptor\n")


def test_quiet_and_verbose(user: User) -> None:
    """`-q` holds back a warning, also one of a command's; `-v` tells the steps, on stderr."""
    user.write("s.py", "# /// script\n# dependencis = []\n# ///\nprint('ran')\n")
    status, out, err = user.run("scriptrun", "-v", "s.py")
    assert (status, out) == (0, "ran\n")
    assert "scriptrun: creating a virtual environment\n" in err
    assert "warning: s.py:2:" in err
    assert user.run("scriptrun", "-q", "s.py") == (0, "ran\n", "")
    user.write("near.py", "#/// script\n# dependencies = []\n# ///\n")
    assert "near.py:1" in user.run("scriptrun", "env", "near.py").err
    assert user.run("scriptrun", "env", "near.py", "-q").err == ""
    assert user.run("scriptrun", "env", "near.py", SCRIPTRUN_QUIET="1").err == ""
