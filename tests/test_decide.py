"""What Python decides: what is remembered is used, a record is written only where it proves the answer."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support.index import Index, wheel
from support.user import User

TRAP = "import sys\nprint('recursion', file=sys.stderr)\nsys.exit(99)\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("--with", "demo", "-m", "demo"), ""),
        (("--with=demo", "-c", "import demo, sys; print(demo.V, sys.argv)", "a", "-q"), "2.0 ['-c', 'a', '-q']\n"),
        (("--script", "s.py", "-c", "import demo; print(demo.V, __name__)"), "2.0 __main__\n"),
        (("--script", "s.py", "-m", "tell", "--help", "x"), "['--help', 'x'] True\n"),
        (("-c", "print(1)"), "1\n"),
    ],
)
def test_modules_and_code_run_as_python_runs_them(user: User, words: tuple[str, ...], out: str) -> None:
    """`-m` and `-c` run in the environment of `--with` or of `--script`, twice the same."""
    user.script("s.py", "demo")
    user.write("tell.py", "import sys\nprint(sys.argv[1:], __name__ == '__main__')\n")
    for _ in range(2):
        assert user.run("scriptrun", *words) == (0, out, "")


@pytest.mark.slow
def test_interactive(user: User) -> None:
    """`-i` gives Python's own prompt, in the environment of `--script`; with a script, after it."""
    user.script("s.py", "demo", body="x = 41\n")
    for words in (("-i", "--script", "s.py"), ("--with", "demo", "-i")):
        status, out, err = user.run("scriptrun", *words, stdin=b"import demo; print(demo.V)\n")
        assert (status, out) == (0, "2.0\n")
        assert ">>> " in err
    assert user.run("scriptrun", "-i", "s.py", stdin=b"print(x + 1)\n")[:2] == (0, "42\n")


@pytest.mark.slow
@pytest.mark.parametrize("home", ["/nonexistent", "", "relative", None])
def test_without_a_home_no_record_is_written_anywhere(user: User, tmp_path: Path, home: str | None) -> None:
    """Where HOME is of no use, the cache is elsewhere, and nothing is made where the launcher looks."""
    user.script("s.py", body="print(1)\n")
    temporary = tmp_path / "t"
    temporary.mkdir()
    status, out, err = user.run("./s.py", HOME=home, TMPDIR=str(temporary))
    assert (status, out) == (0, "1\n")
    assert "scriptrun: note: the cache is in" in err
    assert not os.path.lexists("/nonexistent")
    assert not os.path.lexists("/.cache/scriptrun")
    assert list(user.directory.iterdir()) == [user.directory / "s.py"]


def test_relative_cache_directory_serves_the_launcher(user: User) -> None:
    """A relative SCRIPTRUN_CACHE_DIR is one to the current directory, for both."""
    user.script("s.py", body="print(1)\n")
    assert user.run("./s.py", SCRIPTRUN_CACHE_DIR="c") == (0, "1\n", "")
    assert len(list((user.directory / "c/v1/launch").glob("**/@record"))) == 1


@pytest.mark.slow
def test_scriptrun_as_its_own_dependency_does_not_recurse(user: User, index: Index) -> None:
    """A script may depend on something named scriptrun, with that command: neither runs the script."""
    files = {"scriptrun/__init__.py": "V = 'dependency'\n", "scriptrun/__main__.py": TRAP, "scriptrun/decide.py": TRAP}
    index.add(wheel("scriptrun", "9.0", files=files, scripts={"scriptrun": "scriptrun.__main__:main"}))
    script = user.script("bin/s.py", "scriptrun", body="import scriptrun; print(scriptrun.V)\n")
    user.write("scriptrun/__main__.py", TRAP)
    user.write("scriptrun/__init__.py", "")
    for _ in range(2):
        assert user.run(script, PIP_INDEX_URL=index.url) == (0, "dependency\n", "")
    shutil.rmtree(user.cache / "v1/launch")
    assert user.run("scriptrun", "-v", script, PIP_INDEX_URL=index.url) == (0, "dependency\n", "")


@pytest.mark.parametrize(("words", "status"), [("missing.py", 127), ("--no-such-option s.py", 2), (".", 126)])
def test_status_does_not_depend_on_stderr(user: User, words: str, status: int) -> None:
    """A message that cannot be written does not change the exit status."""
    assert user.run("sh", "-c", f"scriptrun {words} 2>/dev/full").status == status
    assert user.run("sh", "-c", f"scriptrun {words} 2>&-").status == status


def test_current_directory_that_has_gone(user: User) -> None:
    """What needs no current directory runs without one; a relative path says what is wrong."""
    leave = "mkdir gone && cd gone && rmdir ../gone &&"
    for words in ("-c 'print(1)'", "- <<< 'print(1)'", f"{user.write('s.py', 'print(1)')}"):
        assert user.run("bash", "-c", f"{leave} scriptrun {words}")[:2] == (0, "1\n")
    finished = user.run("bash", "-c", f"{leave} scriptrun --with-requirements r.txt -c 'print(1)'")
    assert (finished.status, finished.out) == (125, "")
    assert "relative to the current directory, which does not exist" in finished.err
    finished = user.run("bash", "-c", f"{leave} scriptrun ../s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "`../s.py` is relative to the current directory, which does not exist" in finished.err
    finished = user.run("bash", "-c", f"{leave} scriptrun -c 'print(1)'", SCRIPTRUN_CACHE_DIR="cache")
    assert (finished.status, finished.out) == (125, "")
