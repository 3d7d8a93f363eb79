"""`--isolated`: a fresh environment for one run, and nothing of it in the script's way or left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from support import watch
from support.index import Index
from support.user import User

BODY = """\
import os, sys
try:
    children = os.wait()
except ChildProcessError:
    children = None
print(os.getpid(), sys.prefix, children, flush=True)
"""


def leavings(user: User) -> list[str]:
    return sorted(path.name for path in user.cache.glob("v1/isolated/*"))


def watchers(user: User) -> list[int]:
    """Return the processes that hold a lock of an isolated environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            links = []
            with contextlib.suppress(OSError):  # it has ended
                for link in (entry / "fd").iterdir():
                    with contextlib.suppress(OSError):  # it closes others while it removes files
                        links.append(str(link.readlink()))
            if any(link.startswith(f"{user.cache}/v1/isolated/") for link in links):
                found.append(int(entry.name))
    return found


def await_removal(user: User) -> None:
    """Wait until whoever removes the environments has ended."""
    watch.await_end(watchers(user))
    assert leavings(user) == []


def test_environment_is_fresh_and_goes_with_the_script(user: User) -> None:
    """Each run has another environment, in the same process, without a child; it is gone when the script has ended."""
    user.script("s.py", body=BODY)
    prefixes = []
    for _ in range(2):
        running = watch.start(user, "scriptrun", "--isolated", "s.py")
        status, out, err = watch.end(running)
        pid, prefix, children = out.split()
        assert (status, int(pid), children, err) == (0, running.pid, "None", "")
        prefixes.append(prefix)
        await_removal(user)
    assert prefixes[0] != prefixes[1]
    assert user.environments() == []
    assert list(user.cache.glob("v1/answers/*")) == []


def test_isolated_run_has_a_fresh_environment(user: User, shared_index: Index) -> None:
    """What it holds is put in anew, by pip once and then from the store; no other run is ever in it."""
    user.script("s.py", "demo", body="import demo, sys; print(demo.V, sys.prefix)\n")
    first = user.run("scriptrun", "--isolated", "s.py")
    asked = len(shared_index.requests)
    second = user.run("./s.py", SCRIPTRUN_ISOLATED="1")
    assert [(one.status, one.out.split()[0], one.err) for one in (first, second)] == [(0, "2.0", "")] * 2
    assert first.out != second.out
    assert len(shared_index.requests) == asked
    assert (user.environments(), user.records()) == ([], [])
    await_removal(user)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("raise SystemExit(3)\n", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)\n", -signal.SIGTERM),
    ],
)
def test_end_of_the_script_is_exact(user: User, body: str, status: int) -> None:
    """Exit status and death by signal are the script's own, and the environment goes after both."""
    user.script("s.py", body=body)
    assert user.run("scriptrun", "--isolated", "s.py") == (status, "", "")
    await_removal(user)


def test_pipe_ends_with_the_script(user: User) -> None:
    """Who reads the script's output sees its end while the environment is still being watched over."""
    user.script("s.py", body="import os\nos.close(1)\nos.close(2)\nopen('fifo').read()\n")
    os.mkfifo(user.directory / "fifo")
    running = watch.start(user, "scriptrun", "--isolated", "s.py")
    assert running.stdout is not None
    assert running.stderr is not None
    assert (running.stdout.read(), running.stderr.read()) == ("", "")
    assert running.poll() is None
    assert len(watchers(user)) == 1
    (user.directory / "fifo").write_text("go on")
    assert watch.end(running)[0] == 0
    await_removal(user)


def test_leavings_of_a_killed_watcher_go_with_the_next_run(user: User) -> None:
    """An environment that nobody looks after is removed by the next isolated run; one that is in use stays."""
    user.script("s.py", body="print('started', flush=True); open('fifo').read()\n")
    os.mkfifo(user.directory / "fifo")
    user.script("quick.py", body="pass\n")
    running = watch.start(user, "scriptrun", "--isolated", "s.py")
    assert running.stdout is not None
    assert running.stdout.readline() == "started\n"
    (watcher,) = watchers(user)
    assert user.run("scriptrun", "--isolated", "quick.py") == (0, "", "")
    watch.await_end([pid for pid in watchers(user) if pid != watcher])
    assert len(leavings(user)) == 2  # environment and lock
    os.kill(watcher, signal.SIGKILL)
    running.kill()
    watch.end(running)
    assert len(leavings(user)) == 2
    assert user.run("scriptrun", "--isolated", "quick.py") == (0, "", "")
    await_removal(user)


def test_failing_isolated_run_leaves_nothing(user: User) -> None:
    """When pip fails there is neither an environment nor a lock."""
    user.script("s.py", "no-such-thing")
    assert user.run("scriptrun", "--isolated", "s.py").status == 125
    assert leavings(user) == []


def test_isolated_run_is_never_offline(user: User) -> None:
    """`--isolated --offline` is refused, as a fresh environment is never ready."""
    user.script("s.py", "demo")
    finished = user.run("scriptrun", "--isolated", "--offline", "s.py")
    assert (finished.status, finished.err.splitlines()[-1]) == (
        125,
        "hint: when online, run: SCRIPTRUN_OFFLINE=0 scriptrun --isolated s.py",
    )
