"""Many runs at once: one builds, the others wait for it, and nobody waits for another key."""

from __future__ import annotations

import os
import pty
import subprocess
import threading

import pytest
from support import index as indexes
from support import watch
from support.index import Index
from support.user import LIMIT, User

pytestmark = pytest.mark.slow


def test_keys_do_not_block_each_other(user: User, index: Index) -> None:
    """While one environment is being built, and its index does not answer, another one is built and run."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.script("slow.py", "demo", body="import demo; print(demo.V)\n")
    user.script("quick.py", "demo<2", body="import demo; print(demo.V)\n")
    slow = watch.start(user, "./slow.py", variables={"PIP_INDEX_URL": index.url})
    gate.wait()
    assert user.run("./quick.py") == (0, "1.0\n", "")
    assert slow.poll() is None
    gate.open()
    assert watch.end(slow) == (0, "1.0\n", "")


@pytest.mark.parametrize("option", [None, "-q"])
def test_waiting_run_says_so_on_a_terminal(user: User, index: Index, option: str | None) -> None:
    """Who waits for another run is told on a terminal, unless `-q` is given; the first one is not told."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.variables["PIP_INDEX_URL"] = index.url
    user.variables["TERM"] = "xterm"
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    first = watch.start(user, "./s.py", variables={"SCRIPTRUN_VERBOSE": "1"})
    gate.wait()
    ours, theirs = pty.openpty()
    second = subprocess.Popen(
        ["scriptrun", *([option] if option else []), "s.py"],
        cwd=user.directory,
        env=user.environment(),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    seen, told = [], threading.Event()

    def read() -> None:
        try:
            while chunk := os.read(ours, 1000):
                seen.append(chunk)
                if b"waiting" in b"".join(seen):
                    told.set()
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    assert option or told.wait(LIMIT)
    gate.open()
    assert second.communicate(timeout=LIMIT)[0] == "1.0\n"
    status, out, err = watch.end(first)
    reader.join(LIMIT)
    os.close(ours)
    assert (status, out, "waiting" in err) == (0, "1.0\n", False)
    text = b"".join(seen)
    assert (b"waiting for another run to prepare it" in text) == (option is None)
    assert text == b"" or option is None
