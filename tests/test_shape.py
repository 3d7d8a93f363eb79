"""The shape of the process: a script run through scriptrun cannot tell it from `ENV/bin/python script.py`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.user import LIMIT, User

LOOK = r"""
import json, os, signal, sys

def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink("/proc/self/fd/" + name).partition(":[")[0]
        except OSError:
            pass  # the one of the listing itself
    return found

status = open("/proc/self/status").read()
try:
    cwd = os.getcwd()
except OSError:
    cwd = None
mask = os.umask(0)
os.umask(mask)
seen = {
    "pid": os.getpid(),
    "parent": os.getppid(),
    "session": os.getsid(0),
    "group": os.getpgid(0),
    "argv": [os.fsencode(word).decode("latin-1") for word in sys.argv],
    "file": os.fsencode(__file__).decode("latin-1"),
    "name": __name__,
    "path0": os.fsencode(sys.path[0]).decode("latin-1"),
    "flags": list(sys.flags),
    "globals": sorted(globals()),
    "cwd": cwd,
    "umask": mask,
    "signals": [line for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn", "SigCgt"))],
    "descriptors": descriptors(),
    "environ": {k.decode("latin-1"): v.decode("latin-1") for k, v in os.environb.items()},
    "modules": sorted(sys.modules),
}
with open(os.environ["REPORT"], "w") as file:
    json.dump(seen, file)
"""

SHELL_VARIABLES = {"PWD", "OLDPWD", "SHLVL", "_"}
"""What shells keep for themselves, and set though it was not there: dash only the first."""


@dataclass
class Way:
    """How a script is started: through the launcher alone (warm), or through Python (the first run)."""

    user: User
    warm: bool
    environment: Path
    launcher: Path
    count: int = field(default=0)

    def start(
        self,
        *words: str | bytes | Path,
        python: bool = False,
        variables: dict[str, str | None] | None = None,
        under: Sequence[str] = (),
        **options: Any,
    ) -> subprocess.Popen[bytes]:
        """Start `words` with scriptrun, or with the environment's Python for comparison."""
        if not self.warm:
            shutil.rmtree(self.user.cache / "v1/launch", ignore_errors=True)
            shutil.rmtree(self.user.cache / "v1/answers", ignore_errors=True)
        runner = (
            self.environment / "bin/python" if python else shutil.which("scriptrun", path=self.user.variables["PATH"])
        )
        assert runner
        given = {"env": self.user.environment(variables), "cwd": self.user.directory, "stdin": subprocess.DEVNULL}
        return subprocess.Popen([*under, runner, *words], **{**given, **options})

    def run(self, *words: str | bytes | Path, python: bool = False, **options: Any) -> tuple[int, str, str]:
        """Run to the end and return status, stdout and stderr."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.start(*words, python=python, **{**pipes, **options}) as process:
            out, err = process.communicate(timeout=LIMIT)
        return process.returncode, out.decode(errors="surrogateescape"), err.decode(errors="surrogateescape")

    def look(self, *words: str | bytes | Path, python: bool = False, **options: Any) -> dict[str, Any]:
        """Run a copy of LOOK and return what it saw."""
        self.count += 1
        report = self.user.home / f"report{self.count}"
        variables = {**(options.pop("variables", None) or {}), "REPORT": str(report)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.start(*words, python=python, variables=variables, **{**pipes, **options}) as process:
            _, err = process.communicate(timeout=LIMIT)
        assert (process.returncode, err or b"") == (0, b"")
        seen: dict[str, Any] = json.loads(report.read_text())
        assert seen.pop("pid") == process.pid
        assert seen["environ"].pop("REPORT") == str(report)
        return seen


@pytest.fixture(params=["warm", "first"])
def way(request: pytest.FixtureRequest, user: User, command: Path) -> Way:
    """Both ways in turn, in an environment without distributions; `look.py`, `look` and others are there."""
    user.script("look.py", body=LOOK)
    assert user.run("./look.py", REPORT=os.devnull) == (0, "", "")
    return Way(user, request.param == "warm", user.environments()[0], command)


def place(way: Way, name: str, body: str = LOOK) -> Path:
    """Write a script that the launcher knows already, if the way is the warm one."""
    script = way.user.script(name, body=body)
    if way.warm:
        assert way.run(script, variables={"REPORT": os.devnull}) == (0, "", "")
        assert list(way.user.cache.glob("v1/launch/**/@record"))
    return script


def expected_environment(way: Way, plain: dict[str, Any]) -> dict[str, str]:
    """Return the variables that a script sees, from those that plain Python passes on."""
    environ = {name: value for name, value in plain["environ"].items() if name not in SHELL_VARIABLES}
    environ["VIRTUAL_ENV"] = str(way.environment)
    environ["PATH"] = f"{way.environment}/bin:{environ['PATH']}"
    return environ


def alike(way: Way, *words: str | bytes | Path, **options: Any) -> dict[str, Any]:
    """Compare what the script sees both ways, and return what it saw through scriptrun."""
    plain = way.look(*words, python=True, **options)
    seen = way.look(*words, **options)
    environ = seen.pop("environ")
    expected = expected_environment(way, plain)
    del plain["environ"]
    assert {name: (seen[name], plain[name]) for name in seen if seen[name] != plain[name]} == {}
    assert {name: value for name, value in environ.items() if name not in SHELL_VARIABLES} == expected
    return seen


def test_everything_is_as_with_plain_python(way: Way) -> None:
    """The process is the one started; session, group, signal mask, umask, directory, flags and modules are Python's."""
    assert alike(way, "./look.py", "a", "b")["argv"] == ["./look.py", "a", "b"]


ARGUMENTS = [
    b"--help",
    b"--",
    b"",
    b" ",
    b"two words",
    b"line\nline",
    b"*",
    b"~",
    b"$HOME",
    b"`x`",
    b"\\",
    b"'",
    b'"',
    b"\xff\xfe",
    "Grüße 🐍".encode(),
    b"-",
    b"-m",
    b"--version",
    b"--launch-record=x",
]


def test_arguments_are_intact(way: Way) -> None:
    """Every argument arrives as it was given."""
    assert alike(way, "./look.py", *ARGUMENTS)["argv"] == ["./look.py", *(word.decode("latin-1") for word in ARGUMENTS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "noext",
        "lock",
        "cache",
        "-x.py",
        "with space/the script.py",
        "line\nline/s.py",
        "it's/$HOME/`x`.py",
        "Grüße.py",
        "*.py",
        "#.py",
    ],
)
def test_any_name_will_do(way: Way, name: str) -> None:
    """A script may be called anything, without `.py`, like a command or an option, and stand in any directory."""
    path = place(way, name)
    assert alike(way, f"./{name}")["argv"] == [f"./{name}".encode().decode("latin-1")]
    assert alike(way, path)["file"] == os.fsencode(path).decode("latin-1")


def test_name_that_is_no_text_will_do(way: Way) -> None:
    """A script's name need not be UTF-8."""
    shutil.copy(way.user.directory / "look.py", way.user.directory / os.fsdecode(b"\xff.py"))
    for _ in range(2):
        assert alike(way, b"./\xff.py")["argv"] == ["./\xff.py"]


def test_bare_name_and_name_after_two_dashes(way: Way) -> None:
    """`scriptrun look.py` and `scriptrun -- -x.py` are `python look.py` and `python -- -x.py`."""
    place(way, "-x.py")
    assert alike(way, "look.py")["argv"] == ["look.py"]
    assert alike(way, "--", "-x.py", "a")["argv"] == ["-x.py", "a"]


def test_symbolic_link(way: Way) -> None:
    """Through a symbolic link, argv[0] and __file__ are the link, and sys.path[0] is where it leads."""
    place(way, "real/look.py")
    (way.user.directory / "link.py").symlink_to("real/look.py")
    for _ in range(2):
        seen = alike(way, "./link.py")
    assert seen["path0"] == str(way.user.directory / "real")


def test_script_is_found_through_path(way: Way, command: Path) -> None:
    """A script on PATH is run by its name, with the path that was found as argv[0]."""
    script = place(way, "tools/look-at-it")
    report = way.user.home / "found"
    path = f"{script.parent}:{command.parent}:/usr/bin:/bin"
    assert way.user.run("/usr/bin/env", "look-at-it", "a", PATH=path, REPORT=str(report)) == (0, "", "")
    assert json.loads(report.read_text())["argv"] == [str(script), "a"]


def test_descriptors_are_handed_on(way: Way) -> None:
    """The descriptors from 3 on arrive, and no other ones.

    Where all from 3 to 9 are taken, dash leaves one more open, on the launcher itself: it closes those below 10 only.
    """
    ends = [os.open(os.devnull, os.O_RDONLY) for _ in range(7)]

    def arrange() -> None:
        for number in range(3, 9):
            os.dup2(ends[0], number, inheritable=True)

    try:
        seen = alike(way, "./look.py", preexec_fn=arrange, close_fds=False, stdout=None, stderr=None)
    finally:
        for end in ends:
            os.close(end)
    assert {str(number) for number in range(9)} <= set(seen["descriptors"])


@pytest.mark.slow
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_descriptors_stay_closed(way: Way, closed: Sequence[int]) -> None:
    """A standard descriptor that is closed is closed for the script."""

    def arrange() -> None:
        for number in closed:
            os.close(number)

    seen = alike(way, "./look.py", preexec_fn=arrange, stdout=None, stderr=None)
    assert not set(map(str, closed)) & {name for name, target in seen["descriptors"].items() if "/fd" not in target}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE])
def test_ignored_and_blocked_signals_are_handed_on(way: Way, number: signal.Signals) -> None:
    """A signal that is ignored or blocked at the start is so for the script, and no other one.

    But for SIGCHLD: dash does not hand on that it is ignored.
    """

    def arrange() -> None:
        signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

    alike(way, "./look.py", preexec_fn=arrange, restore_signals=False)


def test_umask_is_handed_on(way: Way) -> None:
    """The umask is the caller's."""
    assert alike(way, "./look.py", umask=0o027)["umask"] == 0o027


def test_deleted_directory(way: Way, tmp_path: Path) -> None:
    """A script runs in a current directory that is not there any more."""
    script = place(way, "s.py")

    def arrange() -> None:
        gone = tmp_path / f"gone{os.getpid()}"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()

    # dash itself complains at its start; nobody else does
    assert alike(way, script, preexec_fn=arrange, stderr=None)["cwd"] is None


def test_environment_variables(way: Way) -> None:
    """Three variables are unset that break an environment's Python, two are set, all others are the script's."""
    variables: dict[str, str | None] = {
        "PYTHONPATH": "/some/where",
        "PYTHONDONTWRITEBYTECODE": "1",
        "EMPTY": "",
        "LINES": "a\nb",
        "BYTES": "\udcff",
        "IFS": "x",
        "_sr_cache": "mine",
        "VIRTUAL_ENV": "/another",
    }
    plain = way.look("./look.py", python=True, variables=variables)
    breaking = {
        "PYTHONHOME": "/nowhere",
        "PYTHONEXECUTABLE": "/nowhere/python",
        "__PYVENV_LAUNCHER__": "/nowhere/python",
    }
    seen = way.look("./look.py", variables={**variables, **breaking})
    expected = expected_environment(way, plain)
    # a shell has an IFS of its own, and one's variables of the launcher's names lose their values
    for name in ("IFS", "_sr_cache"):
        expected.pop(name)
        seen["environ"].pop(name, None)
    assert {name: value for name, value in seen["environ"].items() if name not in SHELL_VARIABLES} == expected


def test_console_script_of_a_dependency_is_found(user: User) -> None:
    """What a dependency installs as a command is on the script's PATH, before anything else of the name."""
    body = "import subprocess, sys\nprint(subprocess.check_output('tool', text=True) == f'tool in {sys.prefix}\\n')\n"
    user.script("s.py", "tool", body=body)
    other = user.write("bin/tool", "#!/bin/sh\necho the wrong one\n", executable=True)
    for _ in range(2):
        assert user.run("./s.py", PATH=f"{user.variables['PATH']}:{other.parent}") == (0, "True\n", "")


@pytest.mark.slow
def test_exit_status_is_the_scripts(way: Way) -> None:
    """Any status from 0 to 255 comes back; through Python a few of them do."""
    place(way, "s.py", "import sys\nif sys.argv[1:]:\n    sys.exit(int(sys.argv[1]))\n")
    for status in range(256) if way.warm else (0, 1, 2, 125, 126, 127, 130, 255):
        assert way.run("./s.py", str(status)) == (status, "", "")


@pytest.mark.parametrize("name", ["TERM", "KILL", "HUP", "INT", "SEGV", "PIPE", "QUIT", "ABRT"])
def test_death_by_signal_is_the_scripts(way: Way, name: str) -> None:
    """A script that a signal ends has, for its parent, ended by that signal."""
    number = getattr(signal, f"SIG{name}")
    default = "" if name == "KILL" else f"signal.signal({number:d}, signal.SIG_DFL); "
    body = "import os, signal, resource, sys\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nif sys.argv[1:]:\n"
    place(way, "s.py", body + f"    {default}os.kill(os.getpid(), {number:d})\n")
    assert way.run("./s.py", "die") == (-number, "", "")


def test_signal_from_outside_reaches_the_script(way: Way) -> None:
    """The process that was started is the script: it handles what is sent to it."""
    body = "import signal, sys\nif sys.argv[1:]:\n"
    body += "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    body += "    print('ready', flush=True)\n    signal.pause()\n"
    place(way, "s.py", body)
    with way.start("./s.py", "wait", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert _children(process.pid) == []
        process.terminate()
        assert process.wait(LIMIT) == 7


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_stdin_is_the_scripts(way: Way) -> None:
    """Every byte of stdin is there for the script."""
    place(way, "s.py", "import sys\nif sys.argv[1:]:\n    print(len(sys.stdin.buffer.read()))\n")
    content = bytes(range(256)) * 1000
    with way.start("./s.py", "read", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.communicate(content, LIMIT)[0] == b"256000\n"


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "ksh", "mksh", "zsh"])
def test_variables_that_a_shell_changes(way: Way, shell: str) -> None:
    """Under each shell, only the shell's own variables, and names that are no identifiers, may differ."""
    from support import shells

    if not way.warm:
        return
    words = shells.command(shell)
    report = way.user.home / "environ"
    variables: dict[str, str | None] = {
        "REPORT": str(report),
        "a.b": "1",
        "PS1": "$ ",
        "HISTFILE": "/x",
        "OPTIND": "3",
        "COLUMNS": "7",
    }
    assert way.run("./look.py", variables=variables, under=words) == (0, "", "")
    seen = json.loads(report.read_text())["environ"]
    expected = expected_environment(way, {"environ": way.user.environment(variables)})
    allowed = {*SHELL_VARIABLES, "a.b", "A__z", "OPTIND", "KSH_VERSION", "PS1", "LOGNAME"}
    differing = {name for name in {*seen, *expected} if seen.get(name) != expected.get(name)}
    assert differing <= allowed, {name: (seen.get(name), expected.get(name)) for name in differing - allowed}
