"""Where a program is read from: files, streams, standard input; and what is no program."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.index import Index
from support.user import User

BODY = "import sys, os\nprint(sys.argv, __name__, len(sys.stdin.read()), sys.argv[1:] == ['a', '--help'])\n"
FAILING = "def f():\n    1 / 0\n\nf()\n"

SHELL = ("/bin/bash", "-c")


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory that every user can look into."""
    root = Path(tempfile.mkdtemp(prefix="scriptrun-source-", dir=tmp_path_factory.getbasetemp().parent.parent))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        ("scriptrun /dev/stdin a --help < s.py", "/dev/stdin", None),
        ("cat s.py | scriptrun /dev/stdin a --help", "/dev/stdin", 0),
        ("cat s.py | scriptrun /dev/fd/0 a --help", "/dev/fd/0", 0),
        ("cat s.py | scriptrun /proc/self/fd/0 a --help", "/proc/self/fd/0", 0),
        ("echo four | scriptrun /dev/fd/7 a --help 7< <(cat s.py)", "/dev/fd/7", 5),
        ("echo four | scriptrun /dev/fd/7 a --help 7< s.py", "/dev/fd/7", 5),
        ("mkfifo p; cat s.py > p & echo four | scriptrun ./p a --help; rm p", "./p", 5),
        ("mkfifo p; cat s.py > p & echo four | scriptrun p a --help; rm p", "p", 5),
        ("scriptrun - a --help < s.py", "-", 0),
        ("cat s.py | scriptrun - a --help", "-", 0),
    ],
)
def test_stream_is_read_once_and_the_rest_of_stdin_is_the_scripts(
    user: User, line: str, name: str, rest: int | None
) -> None:
    """A program from a stream runs under the name it was given; stdin is its own unless it was read from it."""
    script = user.script("s.py", body=BODY)
    length = len(script.read_bytes()) if rest is None else rest
    for _ in range(2):
        expected = f"{[name, 'a', '--help']} __main__ {length} True\n"
        assert user.run(*SHELL, line) == (0, expected, "")


def test_program_longer_than_a_pipe_holds(user: User) -> None:
    """A stream is read to its end, however much there is."""
    user.script("s.py", body="# x\n" * 100_000 + BODY)
    for line, name in (("cat s.py | scriptrun -", "-"), ("mkfifo p; cat s.py > p & scriptrun p", "p")):
        assert user.run(*SHELL, line) == (0, f"{[name]} __main__ 0 False\n", "")


def test_block_of_a_stream_counts(user: User, shared_index: Index) -> None:
    """A program from a stream gets what its block asks for, and shares the environment of a file with that block."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    for line in ("scriptrun ./s.py", "cat s.py | scriptrun -", "scriptrun <(cat s.py)", "scriptrun /dev/stdin < s.py"):
        assert user.run(*SHELL, line) == (0, "2.0\n", ""), line
    assert len(user.environments()) == 1
    assert shared_index.requests


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&-"])
def test_stream_leaves_no_descriptor(user: User, closed: str) -> None:
    """A program from a stream has the descriptors it was started with, and no other ones."""
    body = "import os, sys\nfound = [n for n in range(64) if os.path.exists(f'/proc/self/fd/{n}')]\n"
    body += "assert [sys.stdin is None, sys.stdout is None] == [0 not in found, 1 not in found]\n"
    user.script("s.py", body=body + "open('found', 'w').write(str(found))\n")
    user.run(*SHELL, f"mkfifo p; cat s.py > p & scriptrun p {closed}")
    standard = {0, 1, 2} - {{"<&-": 0, ">&-": 1, "2>&-": 2}[one] for one in closed.split()}
    assert (user.directory / "found").read_text() == str(sorted(standard))
    if 0 in standard:
        user.run(*SHELL, f"cat s.py | scriptrun - {closed}")
        assert (user.directory / "found").read_text() == str(sorted(standard))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("mkfifo p; cat s.py > p & scriptrun p", 'File "<p>", line 7, in f'),
        ("scriptrun <(cat s.py)", "1 / 0"),
        ("cat s.py | scriptrun -", 'File "<stdin>", line 7, in f'),
        ("cat s.py | scriptrun /dev/stdin", "1 / 0"),
    ],
)
def test_traceback_names_the_line(user: User, line: str, shown: str) -> None:
    """A traceback from a stream tells the line, and does not wait for the stream to come again."""
    user.script("s.py", body=FAILING)
    status, out, err = user.run(*SHELL, line)
    assert (status, out) == (1, "")
    assert shown in err
    assert err.endswith("ZeroDivisionError: division by zero\n")


def test_fifo_is_as_plain_python_has_it(user: User) -> None:
    """From a FIFO, __file__, sys.path and the module's names are what Python itself would set."""
    look = "import sys\nprint(__file__, sys.argv, sys.path[0], len(sys.path), __name__)\n"
    user.script("s.py", body=look)
    assert user.run("./s.py").status == 0
    python = user.environments()[0] / "bin/python"
    for safe in ("", "1"):
        (user.directory / "p").unlink(missing_ok=True)
        plain = user.run(*SHELL, f"mkfifo p; cat s.py > p & {python} ./p", PYTHONSAFEPATH=safe)
        assert plain.status == 0
        (user.directory / "p").unlink()
        assert user.run(*SHELL, "mkfifo p; cat s.py > p & scriptrun ./p", PYTHONSAFEPATH=safe) == plain


def test_missing_script_is_127_and_never_a_package(user: User, shared_index: Index) -> None:
    """What is not there is 127 and nobody asks an index for it, though there is a package of that name."""
    (user.directory / "dangling.py").symlink_to("nowhere")
    (user.directory / "file").touch()
    asked = len(shared_index.requests)
    for typed in ("./demo", "demo", "demo.py", "no/such.py", "dangling.py", "file/x.py", "/dev/fd/99", ""):
        status, out, err = user.run("scriptrun", typed)
        assert (status, out) == (127, ""), typed
        assert err.startswith(f"scriptrun: error: no such file: `{typed}`"), err
    assert len(shared_index.requests) == asked
    assert user.environments() == []


def test_directory_is_126(user: User) -> None:
    """A directory is not a script, even one with a `__main__.py`."""
    user.write("package/__main__.py", "print(1)")
    expected = (126, "", "scriptrun: error: `./package` is a directory, not a script\n")
    assert user.run("scriptrun", "./package") == expected


def test_loop_of_links_is_126(user: User) -> None:
    """A symbolic link that leads to itself cannot be read."""
    (user.directory / "loop.py").symlink_to("loop.py")
    status, out, err = user.run("scriptrun", "./loop.py")
    assert (status, out) == (126, "")
    assert "`./loop.py` cannot be read" in err


def test_unreadable_script_is_126(command: Path, anyone: Path) -> None:
    """A script that its user may not read is 126."""
    if os.geteuid() != 0:
        message = "acting as another user takes root: run the tests as root"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    script = anyone / "s.py"
    script.write_text("print(1)\n")
    script.chmod(0o600)
    code = "from scriptrun import errors, source\nimport os, sys\nos.setuid(65534)\n"
    code += "try:\n    source.read(sys.argv[1])\nexcept errors.ScriptUnreadable as error:\n    sys.exit(error.status)\n"
    finished = subprocess.run([command.parent / "python", "-c", code, script], check=False, timeout=60)
    assert finished.returncode == 126


def test_closed_stdin_is_no_program(user: User) -> None:
    """`-` with standard input closed is 126 and says so."""
    status, out, err = user.run(*SHELL, "scriptrun - <&-")
    assert (status, out) == (126, "")
    assert err.startswith("scriptrun: error: standard input cannot be read")
