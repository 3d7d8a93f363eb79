"""Running a script: the first run prepares, every later run only starts."""

from __future__ import annotations

import os
import shutil

from support.index import Index
from support.user import User

WHERE = "import demo, sys; print(demo.V, sys.prefix)\n"


def test_first_run_prepares_and_second_does_not_ask_the_index(user: User, shared_index: Index) -> None:
    """The first run installs what the block asks for; the second opens no connection and prints nothing."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py") == (0, "2.0\n", "")
    asked = len(shared_index.requests)
    assert user.run("./s.py") == (0, "2.0\n", "")
    assert len(shared_index.requests) == asked
    assert len(user.records()) == 1


def test_what_means_the_same_shares_an_environment(user: User, shared_index: Index) -> None:
    """Copies, renames, symbolic links, and scripts that ask for the same in other words, run in one environment."""
    script = user.script("s.py", "demo >= 1", "tool", body=WHERE)
    first = user.run("./s.py")
    assert (first.status, first.err) == (0, "")
    asked = len(shared_index.requests)
    shutil.copy(script, user.directory / "copy.py")
    (user.directory / "link.py").symlink_to("s.py")
    os.link(script, user.directory / "hard")
    user.script("same.py", "Tool", "DEMO>=1", "demo>=1", "tool", body=WHERE)
    for name in ("copy.py", "link.py", "hard", "same.py"):
        assert user.run(f"./{name}") == first, name
    script.rename(user.directory / "renamed.py")
    assert user.run("./renamed.py") == first
    assert len(shared_index.requests) == asked
    assert len(user.environments()) == 1


def test_what_means_something_else_does_not(user: User) -> None:
    """Another version, or one more requirement, is another environment."""
    user.script("one.py", "demo", body=WHERE)
    user.script("two.py", "demo<2", body=WHERE)
    assert user.run("./one.py").out != user.run("./two.py").out
    assert len(user.environments()) == 2


def test_file_without_a_block(user: User) -> None:
    """It runs in an environment without distributions, and with `--with` in one that holds those."""
    user.write(
        "s.py", "import sys\ntry:\n    import demo\nexcept ImportError:\n    demo = None\nprint(demo and demo.V)\n"
    )
    assert user.run("scriptrun", "s.py") == (0, "None\n", "")
    assert user.run("scriptrun", "--with", "demo", "s.py") == (0, "2.0\n", "")
    assert len(user.environments()) == 2


def test_credentials_are_stored_nowhere(user: User, shared_index: Index) -> None:
    """User and password of the index are in no file of the cache but what pip itself keeps."""
    url = shared_index.url.replace("://", "://jo:s3cret@")
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("scriptrun", "--index-url", url, "s.py", PIP_INDEX_URL=None) == (0, "2.0\n", "")
    named = [path for path in user.cache.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert named == []


def test_scripts_that_run_scripts(user: User) -> None:
    """A script may run itself and others through scriptrun, refresh and prune included: a run holds no lock."""
    body = (
        "import subprocess, sys\n"
        "depth = int(sys.argv[1])\n"
        "print(depth, flush=True)\n"
        "if depth:\n"
        "    for words in (['--refresh'], ['--with', 'demo'], []):\n"
        "        subprocess.run(['scriptrun', *words, __file__, str(depth - 1)], check=True)\n"
        "    subprocess.run(['scriptrun', 'cache', 'prune', '--all'], check=True, stdout=subprocess.DEVNULL)\n"
    )
    user.script("s.py", body=body)
    assert user.run("./s.py", "2") == (0, "2\n" + "1\n0\n0\n0\n" * 3, "")
