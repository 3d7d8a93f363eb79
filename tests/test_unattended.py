"""What cron, systemd and others give a job: hardly any variables, no home, no streams, no terminal."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import everybody
from support.user import LIMIT, User

BODY = "import demo, sys\nopen(sys.argv[1], 'w').write(demo.V)\n"
"""The body of a script that needs a distribution, and no stream to tell that it ran."""


@dataclass(frozen=True)
class Thin:
    """How little a job may have: what is to be done in its process first, its variables, and how it is started."""

    arrange: Callable[[], object] | None = None
    variables: dict[str, str | None] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def closing(*numbers: int) -> Callable[[], None]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def gone() -> None:
    """Change to a directory that is not there any more."""
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")


def descriptors() -> None:
    """Have what systemd hands to a service with sockets, and more: all from 3 to 9."""
    for number in range(3, 10):
        os.dup2(0, number)


def limited(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


THIN = {
    "no variables": Thin(variables={"LANG": None, "HOME": None}),
    "no path": Thin(variables={"PATH": None}),
    "home that is not there": Thin(variables={"HOME": "/nonexistent"}),
    "locale C": Thin(variables={"LANG": "C", "LC_ALL": "C"}),
    "locale that is not there": Thin(variables={"LANG": "xx_YY.UTF-8", "LC_ALL": "xx_YY.UTF-8"}),
    "umask 077": Thin(options={"umask": 0o077}),
    "umask 777": Thin(options={"umask": 0o777}),
    "root directory": Thin(options={"cwd": "/"}),
    "deleted directory": Thin(gone),
    "stdin closed": Thin(closing(0)),
    "stdout closed": Thin(closing(1)),
    "stderr closed": Thin(closing(2)),
    "all closed": Thin(closing(0, 1, 2)),
    "no terminal": Thin(options={"start_new_session": True}),
    "low priority": Thin(lambda: os.nice(19)),
    "few descriptors": Thin(limited(resource.RLIMIT_NOFILE, 20)),
    "descriptors of systemd": Thin(descriptors, {"LISTEN_FDS": "7", "LISTEN_PID": "1"}, {"close_fds": False}),
    "no core, small stack": Thin(limited(resource.RLIMIT_STACK, 1 << 20)),
}


def start(user: User, thin: Thin, *command: str | Path) -> tuple[int, str, str]:
    """Run a command with what is thin, to its end."""
    arrange = thin.arrange
    options: dict[str, Any] = {"cwd": user.directory, "stdin": subprocess.DEVNULL, **thin.options}
    running = subprocess.Popen(
        command,
        env=user.environment({"TMPDIR": str(user.directory / "tmp"), **thin.variables}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=arrange,  # noqa: PLW1509 - this process has no thread
        **options,
    )
    out, err = running.communicate(timeout=LIMIT)
    return running.returncode, out, err


def said(err: str) -> list[str]:
    """Return what was said but the note about a place for the cache, and what dash says of a directory that is gone."""
    lines = err.splitlines()
    return [line for line in lines if not line.startswith("scriptrun: note: the cache is in") and "getcwd" not in line]


@pytest.mark.slow
@pytest.mark.parametrize("name", THIN)
def test_thin_environment(user: User, command: Path, name: str) -> None:
    """A script is prepared, and runs by launcher and by Python, silently, whatever is lacking."""
    script = user.script("été/s.py", "demo", body=BODY)
    (user.directory / "tmp").mkdir()
    thin = THIN[name]
    for number, words in enumerate([["-q"], [], ["--with", "demo"], ["-q"]]):
        told = user.directory / f"told{number}"
        status, out, err = start(user, thin, command, *words, script, told)
        assert (status, out, said(err)) == (0, "", []), words
        if number in (1, 3):
            assert "note" not in err
        told.chmod(0o600)
        assert told.read_text() == "2.0"


@pytest.mark.slow
def test_full_pipe_does_not_hold_up_preparing(user: User) -> None:
    """Nobody reads stdout, which is full: what is prepared is prepared, and the script's own business is its own."""
    script = user.script("s.py", "demo", body=BODY)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    try:
        for number in range(2):
            told = user.directory / f"told{number}"
            running = subprocess.Popen(
                ["scriptrun", script, told], env=user.environment(), stdout=writing, stderr=subprocess.PIPE, text=True
            )
            assert running.communicate(timeout=LIMIT)[1] == ""
            assert (running.returncode, told.read_text()) == (0, "2.0")
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_full_device(user: User, stream: str) -> None:
    """Where nothing can be written, a script is prepared and runs; an error keeps its status, told or not."""
    script = user.script("s.py", "demo", body=BODY)
    bad = user.script("bad.py", "no-such-thing")
    with open("/dev/full", "wb") as full:
        for words, status in (([script, "told"], 0), ([script, "told"], 0), ([bad], 125)):
            finished = subprocess.run(
                ["scriptrun", *words],
                cwd=user.directory,
                env=user.environment(),
                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full},  # type: ignore[call-overload]
                timeout=LIMIT,
                check=False,
            )
            assert finished.returncode == status
    assert (user.directory / "told").read_text() == "2.0"


@pytest.mark.slow
def test_failure_is_one_block_of_text(user: User, command: Path) -> None:
    """A job that cannot be prepared says so once, on stderr, wherever it runs; stdout stays empty."""
    script = user.script("s.py", "no-such-thing")
    (user.directory / "tmp").mkdir()
    for name in ("no variables", "locale C", "root directory", "no terminal"):
        status, out, err = start(user, THIN[name], command, script)
        lines = said(err)
        assert (status, out) == (125, ""), name
        assert lines[0].startswith("scriptrun: error: "), name
        assert [line for line in lines[1:] if not line.startswith(("  ", "hint: "))] == [], name


@pytest.mark.slow
def test_unknown_user_without_a_home(user: User, pythons: list[Path]) -> None:
    """A uid that no file knows and that has no home, as containers give it: the cache is below TMPDIR, told once."""
    everybody.require_root()
    with everybody.installation(pythons) as programs:
        script = user.script("s.py", body="import os; print(os.getuid())\n")
        shutil.copy(script, programs.parent / "s.py")
        (programs.parent / "s.py").chmod(0o755)
        temporary = programs.parent / "tmp"
        temporary.mkdir()
        temporary.chmod(0o1777)
        variables = {"PATH": f"{programs}:/usr/bin:/bin", "TMPDIR": str(temporary), "SCRIPTRUN_SYSTEM_CACHE": ""}
        unknown = User(Path("/nonexistent"), programs.parent, variables, uid=54321)
        first = unknown.run(programs.parent / "s.py")
        assert first[:2] == (0, "54321\n")
        assert first.err.startswith("scriptrun: note: the cache is in")
        assert unknown.run(programs.parent / "s.py") == (0, "54321\n", "")
