"""`scriptrun bundle`: where it writes, what it says, and what it refuses."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from support.user import User

REFUSED = {
    "no script": ((), "takes one script"),
    "two scripts": (("bare.py", "bare.py"), "takes one script"),
    "stdin": (("-",), "takes one script"),
    "a directory": (("bare.py", "-o", "."), "`.` is a directory"),
    "no directory": (("bare.py", "-o", "nowhere/x.pyz"), "there is no directory `nowhere`"),
    "the script": (("bare.py", "-o", "./bare.py"), "is the script itself"),
    "both names": (("bare.py", "-o", "a", "--output", "b"), "`--output` is given twice"),
    "a URL": (("https://host.invalid/s.py",), "is for files"),
    "a file of variables": (("bare.py", "--env-file", "x.env"), "`--env-file` has no effect in a bundle"),
    "never twice": (("bare.py", "--no-overlap"), "`--no-overlap` has no effect in a bundle"),
    "more": (("bare.py", "--with", "demo"), "`with` asks for what is in no lock"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(user: User, case: str) -> None:
    """What cannot be bundled, or written there, is said as wrong use, and no file is made or changed."""
    user.script("bare.py", body="print(1)\n")
    before = (user.directory / "bare.py").read_bytes()
    words, said = REFUSED[case]
    finished = user.run("scriptrun", "bundle", *words)
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.startswith("scriptrun: error: ")
    assert said in finished.err
    assert os.listdir(user.directory) == ["bare.py"]
    assert (user.directory / "bare.py").read_bytes() == before


def test_refused_in_the_block(user: User) -> None:
    """An option of the block that a bundle could not keep to is named with its line, and not left out silently."""
    head = '# [tool.scriptrun]\n# no-overlap = true\n# env-file = ["x.env"]\n# ///\n'
    user.write("s.py", f"# /// script\n# dependencies = []\n{head}print(1)\n")
    finished = user.run("scriptrun", "bundle", "s.py")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.startswith("scriptrun: error: `s.py:5` has no effect in a bundle: env-file is for scriptrun")


def test_where_it_is_written(user: User) -> None:
    """It is the script's name with `.pyz` in the current directory, or what `-o` says; a file there is replaced."""
    (user.directory / "below").mkdir()
    script = user.script("below/job.py", body="print(1)\n")
    assert user.run("scriptrun", "bundle", str(script)) == (0, "job.pyz\n", "")
    former = (user.directory / "job.pyz").read_bytes()
    user.write("other.pyz", "former")
    assert user.run("scriptrun", "bundle", "-oother.pyz", str(script)) == (0, "other.pyz\n", "")
    assert user.run("scriptrun", "bundle", str(script), "--output=below/x").out == "below/x\n"
    assert {(user.directory / name).read_bytes() for name in ("other.pyz", "below/x")} == {former}
    assert sorted(os.listdir(user.directory)) == ["below", "job.pyz", "other.pyz"]
    assert (user.directory / "job.pyz").stat().st_mode & 0o111 == 0o111


def test_lock_of_the_script(user: User) -> None:
    """The lock beside the script is used and put in; where there is none, one is made, which stderr says."""
    script = user.script("job.py", "demo<2")
    made = user.run("scriptrun", "bundle", "job.py")
    assert (made.status, made.err) == (
        0,
        "scriptrun: note: the script has no lock: one was made, for this bundle alone\n",
    )
    assert not (user.directory / "pylock.job.toml").exists()
    assert user.run("scriptrun", "lock", "job.py").status == 0
    lock = (user.directory / "pylock.job.toml").read_bytes()
    assert user.run("scriptrun", "bundle", "job.py") == (0, "job.pyz\n", "")
    with zipfile.ZipFile(user.directory / "job.pyz") as archive:
        assert archive.read("script/pylock.job.toml") == lock
        assert archive.read("script/job.py") == script.read_bytes()
        assert [name for name in archive.namelist() if name.startswith("wheels/")] == [
            "wheels/demo-1.0-py3-none-any.whl"
        ]
    user.write("job.py", script.read_text().replace("demo<2", "demo<3"))
    stale = user.run("scriptrun", "bundle", "job.py")
    assert (stale.status, stale.out) == (125, "")
    assert "demo<3" in stale.err


def test_failure_leaves_what_was_there(user: User) -> None:
    """Where pip finds nothing, the bundle that was there before stays as it was, and nothing is left beside it."""
    user.script("job.py", "nothing-like-this")
    user.write("job.pyz", "former")
    finished = user.run("scriptrun", "bundle", "job.py")
    assert (finished.status, finished.out) == (125, "")
    assert (user.directory / "job.pyz").read_text() == "former"
    assert sorted(os.listdir(user.directory)) == ["job.py", "job.pyz"]


def test_disk_that_is_full(user: User) -> None:
    """Where it cannot be written, that is said in words."""
    if not Path("/dev/full").exists():
        pytest.fail("the test needs /proc")
    user.script("job.py", body="print(1)\n")
    finished = user.run("scriptrun", "bundle", "job.py", "-o", "/proc/job.pyz")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err.startswith("scriptrun: error: `/proc/job.pyz` cannot be made: ")
