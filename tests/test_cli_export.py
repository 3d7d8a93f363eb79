"""`scriptrun export`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tomli
from support import index as indexes
from support.index import Index
from support.user import User


@pytest.mark.slow
def test_requirements_are_what_pip_takes(user: User, shared_index: Index) -> None:
    """With or without a lock, pip installs the exported lines with --require-hashes, to the same versions."""
    script = user.script("s.py", "other")
    made = user.run("scriptrun", "export", script)
    assert (made.status, made.err) == (0, "")
    names = [line.split()[0] for line in made.out.splitlines() if "==" in line]
    assert (names, made.out.count("--hash=sha256:")) == (["demo==1.0", "other==1.0"], 2)
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    assert user.run("scriptrun", "export", "--format", "requirements", script) == made
    user.write("r.txt", made.out)
    words = ("install", "-qq", "--require-hashes", "-r", "r.txt", "--target", "there", "--index-url", shared_index.url)
    finished = user.run(sys.executable, "-m", "pip", *words, "--disable-pip-version-check")
    assert (finished.status, finished.out) == (0, "")
    assert sorted(path.name for path in (user.directory / "there").glob("*.py")) == ["demo.py", "other.py"]


@pytest.mark.slow
def test_pylock_is_the_lock(user: User) -> None:
    """The other format is the text of the lock, wherever it stands; without one, that which would be made."""
    script = user.script("s.py", "demo<2")
    words = ("scriptrun", "export", "--format=pylock", script)
    made = user.run(*words)
    assert [one["name"] for one in tomli.loads(made.out)["packages"]] == ["demo"]
    for place in ((), ("--embed",)):
        assert user.run("scriptrun", "-q", "lock", *place, script).status == 0
        assert user.run(*words) == made
    script.write_text(script.read_text().replace("demo<2", "demo"))
    assert user.run(*words).status == 125


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("s.py", "t.py"), ("--format=uv", "s.py")])
def test_wrong_use(user: User, words: tuple[str, ...]) -> None:
    """One script, and a format that there is."""
    user.script("s.py")
    assert user.run("scriptrun", "export", *words)[:2] == (2, "")


def test_script_without_requirements(user: User, tmp_path: Path) -> None:
    """Nothing to install is no error, pip is not asked, and standard input is a script too."""
    body = user.script("s.py").read_bytes()
    assert user.run("scriptrun", "export", "-", stdin=body, PIP_INDEX_URL=f"file://{tmp_path}/none").status == 0


@pytest.mark.slow
def test_distributions_that_are_needed_are_there(index: Index, user: User) -> None:
    """What requirements need in turn is exported too, with extras and markers as they hold here."""
    index.add(
        indexes.wheel("top", "1.0", requires=["one; extra == 'x'", "two; python_version < '3'"], extras=["x"]),
        indexes.wheel("one", "1.0"),
    )
    out = user.run("scriptrun", "export", user.script("s.py", "top[x]"), PIP_INDEX_URL=index.url).out
    assert [line.split()[0] for line in out.splitlines() if "==" in line] == ["one==1.0", "top==1.0"]
