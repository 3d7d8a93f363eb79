"""scriptrun as PID 1 of a container: it stops, adopts and hands over as `python script.py` would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from support import index as indexes
from support import mounts, watch
from support.index import Index
from support.user import LIMIT, User

CONTAINER = ("unshare", *(() if os.geteuid() == 0 else ("-r",)), "--pid", "--fork", "--mount-proc", "--kill-child")
"""What runs a command as PID 1 of a namespace, as containers do, and ends it with itself."""

CHILDREN = """\
import os
try:
    children = os.wait()
except ChildProcessError:
    children = None
processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print(os.getpid(), processes, children)
"""

ALONE = "1 [1] None\n"
"""What that prints where PID 1 is the only process."""

STOPS = """\
import os, signal, sys
def stop(number, frame):
    sys.exit(7)
if "handler" in sys.argv:
    signal.signal(signal.SIGTERM, stop)
with open("ready", "w") as fifo:
    fifo.write("x")
open("over").read()
print("went on")
"""


def pid_1(outer: subprocess.Popen[str]) -> int:
    """Return the number, here, of the process that is PID 1 within."""
    return int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())


def test_no_children_are_handed_to_the_script(user: User) -> None:
    """Cold, by launcher and by Python: the script is PID 1, alone, and has no child, though pip and others ran."""
    user.script("s.py", "demo", body=CHILDREN)
    for words in (["./s.py"], ["./s.py"], ["scriptrun", "-q", "s.py"]):
        assert user.run(*CONTAINER, *words) == (0, ALONE, ""), words


def test_no_housekeeping(user: User) -> None:
    """PID 1 does not prune the cache, however long ago that was: nothing keeps the script waiting, and it is alone."""
    user.script("s.py", body=CHILDREN)
    mark = user.cache / "v1" / "pruned"
    assert user.run(*CONTAINER, "./s.py") == (0, ALONE, "")
    mark.touch()
    os.utime(mark, (1, 1))
    assert user.run(*CONTAINER, "scriptrun", "--refresh", "s.py") == (0, ALONE, "")
    assert mark.stat().st_mtime == 1


def test_isolated_environment_goes_with_the_next_isolated_run(user: User) -> None:
    """Nobody can remove it after the end of PID 1: the next run does, but not while the first still goes on."""
    user.script("s.py", body=CHILDREN)
    user.script("waits.py", body="open('ready', 'w').write('x')\nopen('fifo').read()\n")
    for name in ("ready", "fifo"):
        os.mkfifo(user.directory / name)
    running = watch.start(user, *CONTAINER, "scriptrun", "--isolated", "waits.py")
    watch.receive(user.directory / "ready")
    assert user.run(*CONTAINER, "scriptrun", "--isolated", "s.py") == (0, ALONE, "")
    assert len(list(user.cache.glob("v1/isolated/*/scriptrun.json"))) == 2
    (user.directory / "fifo").write_text("go on")
    assert watch.end(running) == (0, "", "")
    assert user.run(*CONTAINER, "scriptrun", "--isolated", "s.py") == (0, ALONE, "")
    assert len(list(user.cache.glob("v1/isolated/*/scriptrun.json"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_while_preparing(user: User, index: Index, number: signal.Signals) -> None:
    """PID 1, which the kernel protects from signals without a handler, can be ended while pip works."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo")
    running = watch.start(user, *CONTAINER, "scriptrun", "s.py")
    gate.wait()
    os.kill(pid_1(running), number)
    status, _, err = watch.end(running)
    gate.open()
    assert status == 128 + number
    assert err == f"scriptrun: error: interrupted by signal {int(number)} while preparing the environment\n"
    assert list(user.cache.glob("v1/envs/*/*")) == []


def test_signal_while_a_program_is_fetched(user: User) -> None:
    """PID 1 can also be ended while it waits for a program from a URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/s.py"
        running = watch.start(user, *CONTAINER, "scriptrun", url)
        connection, _ = server.accept()
        with connection:
            os.kill(pid_1(running), signal.SIGTERM)
            status, _, err = watch.end(running)
    assert status == 128 + signal.SIGTERM
    assert err == "scriptrun: error: interrupted by signal 15 while fetching the program\n"


@pytest.mark.slow
@pytest.mark.parametrize("way", ["python", "launcher", "decision"])
def test_script_stops_as_under_python(user: User, way: str) -> None:
    """SIGTERM is what the script makes of it; without a handler PID 1 is deaf to it."""
    user.script("s.py", body=STOPS)
    for name in ("ready", "over"):
        os.mkfifo(user.directory / name)
    first = watch.start(user, "./s.py", "handler")  # which prepares it
    watch.receive(user.directory / "ready")
    first.terminate()
    assert watch.end(first)[0] == 7
    python = next(user.cache.glob("v1/envs/*/*/bin/python"))
    commands: dict[str, list[str | Path]] = {
        "python": [python, "s.py"],
        "launcher": ["./s.py"],
        "decision": ["scriptrun", "-q", "s.py"],
    }
    command = commands[way]

    handled = watch.start(user, *CONTAINER, *command, "handler")
    watch.receive(user.directory / "ready")
    os.kill(pid_1(handled), signal.SIGTERM)
    assert watch.end(handled)[0] == 7

    deaf = watch.start(user, *CONTAINER, *command)
    watch.receive(user.directory / "ready")
    os.kill(pid_1(deaf), signal.SIGTERM)
    os.kill(pid_1(deaf), signal.SIGHUP)
    (user.directory / "over").write_text("x")
    assert watch.end(deaf) == (0, "went on\n", "")


@pytest.mark.slow
def test_children_that_were_there_before_stay_the_scripts(user: User) -> None:
    """An entry point may start a worker and then `exec` the script: scriptrun neither ends nor reaps it."""
    worker = "(read line < fifo; exit 5) &"
    os.mkfifo(user.directory / "fifo")
    body = "import os\nopen('fifo', 'w').write('end\\n')\nprint(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    user.script("s.py", "demo", body=body)
    assert user.run(*CONTAINER, "sh", "-c", f"{worker} exec ./s.py") == (0, "5\n", "")


@pytest.mark.slow
def test_read_only_root(user: User) -> None:
    """With everything read-only but /tmp, as in hardened containers, a script is prepared there and runs."""
    user.script("s.py", "demo", body="import demo, os\nprint(os.getpid(), demo.V)\n")
    tmp = user.directory / "tmp"
    tmp.mkdir()
    mounts = f'mount -t tmpfs none "{tmp}"; mount -o remount,bind,ro /; ! touch "$HOME/x" 2>/dev/null'
    code = f"{mounts}; TMPDIR={tmp} ./s.py; exec env TMPDIR={tmp} ./s.py"
    finished = user.run(*CONTAINER, "sh", "-ec", code)
    assert (finished.status, finished.out.splitlines()[1]) == (0, "1 2.0")
    assert finished.err.count("scriptrun: note: the cache is in") == 1


def test_what_is_no_debian(user: User) -> None:
    """Where pip finds no `/etc/debian_version`, of which it reads more modules, it installs all the same."""
    user.script("s.py", "demo", body="import demo\nprint(demo.V)\n")
    upper = user.directory / "upper"
    upper.mkdir()
    layers = "lowerdir=/etc,upperdir=$PWD/upper/etc,workdir=$PWD/upper/work"
    made = "mount -t tmpfs none upper; mkdir upper/etc upper/work"
    hidden = f"{made}; mount -t overlay -o {layers} none /etc; rm -f /etc/debian_version"
    assert mounts.in_namespace(user, f"{hidden}; exec ./s.py") == (0, "2.0\n", "")
