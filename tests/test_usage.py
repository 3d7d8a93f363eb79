"""Which environments are in use: what processes show of themselves, and which of them are launchers."""

from __future__ import annotations

import _ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import generations, shells

from scriptrun.upkeep import usage

WAIT = "import sys; print(1, flush=True); sys.stdin.read()"
"""Python that says when it runs, and ends when its stdin does."""

MAP = f"""\
import ctypes, sys
ctypes.CDLL(sys.stdin.readline().strip())
{WAIT}
"""
"""Python that has a library in memory, and no descriptor of it."""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment that nobody uses."""
    return generations.make(str(tmp_path / "cache"), generations.key(1), size=5000)


@contextmanager
def running(words: Sequence[str | Path], line: str = "", **options: Any) -> Iterator[int]:
    """Run a program that reads a line, writes one and ends with its stdin."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
        assert process.stdout.readline()
        yield process.pid
        process.stdin.close()


@pytest.mark.parametrize("part", ["word", "variable", "directory", "file", "memory", "program"])
def test_process_that_uses_an_environment(environment: Path, part: str) -> None:
    """A path in words, VIRTUAL_ENV, the working directory, an open file, a mapped one or the program tells it."""
    program = shutil.copy2("/usr/bin/dash", environment / "bin/program")
    library = shutil.copy2(_ctypes.__file__, environment / "library.so")
    words: list[str | Path] = [sys.executable, "-c", MAP if part == "memory" else WAIT]
    choices: dict[str, dict[str, Any]] = {
        "word": {},
        "variable": {"env": {**os.environ, "VIRTUAL_ENV": str(environment)}},
        "directory": {"cwd": environment / "bin"},
        "file": {},
        "memory": {"line": str(library)},
        "program": {"executable": program},
    }
    options = choices[part]
    if part == "word":
        words.append(f"--prefix={environment}/bin")
    if part == "program":
        words = ["dash", "-c", "echo; read _line; read _line; :"]
    with open(environment / "content") as file:
        if part == "file":
            options["pass_fds"] = (file.fileno(),)
        with running(words, **options):
            assert usage.in_use([str(environment), "/c/v1/envs/a/b"]) == {str(environment)}
    assert usage.in_use([str(environment)]) == set()


def test_environment_is_the_same_by_another_way(environment: Path, tmp_path: Path) -> None:
    """A process that was started through a link to the cache is seen."""
    (tmp_path / "link").symlink_to(tmp_path / "cache")
    other = str(environment).replace("/cache/", "/link/")
    with running([sys.executable, "-c", WAIT, f"{other}/bin"]):
        assert usage.in_use([str(environment)]) == {str(environment)}


def test_own_process_does_not_count(environment: Path) -> None:
    """Who looks is not seen: a removal may be started from anywhere."""
    with open(environment / "content"):
        assert usage.in_use([str(environment)]) == set()


def test_process_that_is_born_meanwhile(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is started while others are looked at is looked at too."""
    with running([sys.executable, "-c", WAIT, str(environment)]) as pid:
        lists = iter([[1], [1, pid], [1, pid]])
        monkeypatch.setattr(psutil, "pids", lambda: next(lists))
        assert usage.look().uses(str(environment))


def test_process_that_becomes_another_program(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who showed nothing as it was between two programs is looked at again."""
    with running([sys.executable, "-c", WAIT, str(environment)]) as pid:
        shown = iter([["sh", "before"], [], ["python", f"{environment}/bin"], ["python", f"{environment}/bin"]])
        monkeypatch.setattr(psutil, "pids", lambda: [pid])
        monkeypatch.setattr(psutil.Process, "cmdline", lambda _: next(shown))
        assert usage.look().uses(str(environment))
    assert list(shown) == []


def launcher(directory: Path) -> Path:
    """Make a program by the launcher's name that waits."""
    path = directory / "scriptrun"
    path.write_text("#!/bin/sh\necho\nread _line\nread _line\n:\n")
    path.chmod(0o755)
    (directory / "other name").symlink_to("scriptrun")
    return path


@pytest.mark.parametrize("shell", sorted(shells.SHELLS))
def test_launcher_is_seen_under_every_shell(tmp_path: Path, shell: str) -> None:
    """The launcher counts as in flight whichever shell runs it."""
    with running([*shells.command(shell), launcher(tmp_path)]) as pid:
        assert pid in {process.pid for process in usage.look().launchers}


def test_launcher_is_seen_by_any_name(tmp_path: Path) -> None:
    """A link to the launcher, also by a relative path, and its shebang are seen."""
    own = launcher(tmp_path)
    for words in ([str(own)], [f"{tmp_path}/other name"], ["sh", "./other name"], ["sh", "scriptrun"]):
        with running(words, cwd=tmp_path) as pid:
            process = psutil.Process(pid)
            assert usage.in_flight(process)
            assert not usage.await_landing([process], 0)
        assert usage.await_landing([process], 0)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HOME": "."}, True),
        ({"XDG_CACHE_HOME": ".cache"}, True),
        ({"SCRIPTRUN_CACHE_DIR": ".cache/scriptrun"}, True),
        ({"SCRIPTRUN_CACHE_DIR": "link"}, True),
        ({"SCRIPTRUN_CACHE_DIR": "relative"}, True),
        ({"SCRIPTRUN_SYSTEM_CACHE": ".cache/scriptrun"}, True),
        ({"HOME": ".", "XDG_CACHE_HOME": "other"}, False),
        ({"HOME": ".", "SCRIPTRUN_CACHE_DIR": "other"}, False),
        ({"HOME": "other"}, False),
        ({"PATH": "/bin"}, False),
    ],
)
def test_cache_that_a_launcher_is_bound_for(tmp_path: Path, variables: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    """The launcher's own cache is that of its variables, and a cache that others can read may be anybody's."""
    cache = tmp_path / ".cache/scriptrun"
    cache.mkdir(parents=True, mode=0o700)
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(cache)
    environ = {name: str(tmp_path / value) for name, value in variables.items()}
    if variables == {"SCRIPTRUN_CACHE_DIR": "relative"}:
        environ = {"SCRIPTRUN_CACHE_DIR": "scriptrun"}
    with running(["/bin/sh", launcher(tmp_path)], env=environ, cwd=tmp_path / ".cache") as pid:
        assert usage.may_enter(psutil.Process(pid), str(cache)) == expected
        cache.chmod(0o755)
        assert usage.may_enter(psutil.Process(pid), str(cache))


def test_what_is_no_launcher(tmp_path: Path) -> None:
    """Another program that is given the launcher's file, or a shell that is given its text, does not count."""
    own = str(launcher(tmp_path))
    for words in (
        [sys.executable, "-c", WAIT, own],
        [sys.executable, "-S", "-c", WAIT, "scriptrun"],
        ["sh", "-c", "echo; read _line; read _line; :", own],
        ["cat", "-", own],
    ):
        with running(words) as pid:
            assert not usage.in_flight(psutil.Process(pid))


@pytest.mark.parametrize(
    ("status", "program", "expected"),
    [
        (psutil.STATUS_RUNNING, "/bin/sh", True),
        (psutil.STATUS_DISK_SLEEP, "/bin/sh", True),
        (psutil.STATUS_SLEEPING, "/bin/sh", False),
        (psutil.STATUS_RUNNING, "", False),
    ],
)
def test_process_without_words(monkeypatch: pytest.MonkeyPatch, status: str, program: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """In the middle of `exec` a process counts as in flight; not one of the kernel, or that took its words away."""
    process = psutil.Process()
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _: [])
    monkeypatch.setattr(psutil.Process, "status", lambda _: status)
    monkeypatch.setattr(psutil.Process, "exe", lambda _: program)
    assert usage.in_flight(process) == expected


def test_zombie_is_not_in_flight(tmp_path: Path) -> None:
    """A launcher that has ended, and that nobody has waited for, is not waited for here."""
    with subprocess.Popen([launcher(tmp_path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert usage.await_landing([psutil.Process(process.pid)], 0)
        assert process.pid not in {one.pid for one in usage.look().launchers}
