"""`scriptrun --script FILE` in the place of `python`: any program, in the environment that FILE asks for."""

from __future__ import annotations

import zipfile

import pytest
from support import tiers
from support.index import Index, wheel
from support.user import User

TELLS = """\
import sys, demo
print(demo.V, __file__ if "__file__" in globals() else "", sys.argv, sys.flags.utf8_mode, sys.dont_write_bytecode)
"""


@pytest.fixture
def user(user: User) -> User:
    """A user with `job.py`, which asks for demo 1.0, and `w.py`, whose own block nobody can satisfy."""
    user.script("job.py", "demo<2", body="import sys, demo\nprint(demo.V, sys.prefix)\n")
    user.script("w.py", "nosuch", head='# requires-python = ">=4"\n', body=TELLS)
    return user


def test_program_runs_with_the_block_of_another_file(user: User) -> None:
    """The block is that of `--script` alone; cold and warm, the program and its arguments are as under Python."""
    for _ in range(2):
        finished = user.run("scriptrun", "--script", "job.py", "w.py", "--node-id=1", "-u", "--script", "")
        assert finished == (
            0,
            "1.0 " + str(user.directory / "w.py") + " ['w.py', '--node-id=1', '-u', '--script', ''] 0 False\n",
            "",
        )


def test_environment_is_that_of_a_run(user: User) -> None:
    """The environment is the one that FILE itself runs in, and no record is written for either by that command line."""
    user.write("p.py", "import sys\nprint(sys.prefix)\n")
    prefix = user.run("scriptrun", "--script", "job.py", "p.py").out
    assert user.records() == []
    assert user.run("scriptrun", "job.py").out == f"1.0 {prefix}"
    assert len(user.environments()) == 1


def test_lock_of_the_script_counts(user: User, index: Index) -> None:
    """The lock beside FILE decides versions, and a stale one is refused, as in a run of FILE."""
    index.add(wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    assert user.run("scriptrun", "lock", "job.py").status == 0
    index.add(wheel("demo", "1.5"))
    user.write("v.py", "import demo\nprint(demo.V)\n")
    assert user.run("scriptrun", "--locked", "--script", "job.py", "v.py") == (0, "1.0\n", "")
    user.script("job.py", "demo<3")
    status, out, err = user.run("scriptrun", "--locked", "--script", "job.py", "v.py")
    assert (status, out) == (125, "")
    assert "job.py" in err


def test_options_of_python(user: User) -> None:
    """Options of Python between `--script FILE` and the program are Python's: `-s`, `-B`, `-X utf8`, in any form."""
    for words in (("-s", "-B", "-X", "utf8"), ("-sBXutf8",)):
        for program, said in ((("w.py", "-B"), ["w.py", "-B"]), (("-c", TELLS, "-B"), ["-c", "-B"])):
            status, out, err = user.run("scriptrun", "--script", "job.py", *words, *program)
            assert (status, err) == (0, "")
            assert out.endswith(f" {said} 1 True\n")


def test_whatever_python_runs(user: User) -> None:
    """Standard input, a directory, an archive, a name that looks like an option or a command: all as under Python."""
    for path in ("-w.py", "sync", "d/__main__.py"):
        user.write(path, "import demo, sys\nprint(demo.V, sys.argv)\n")
    with zipfile.ZipFile(user.directory / "a.pyz", "w") as archive:
        archive.write(user.directory / "sync", "__main__.py")
    for words, said in (
        (("--", "-w.py"), "-w.py"),
        (("sync",), "sync"),
        (("d",), "d"),
        (("a.pyz",), "a.pyz"),
        (("-",), "-"),
    ):
        stdin = (user.directory / "sync").read_bytes() if said == "-" else b""
        finished = user.run("scriptrun", "--script", "job.py", *words, "x", stdin=stdin)
        assert finished == (0, f"1.0 {[said, 'x']}\n", "")
    status, out, err = user.run("scriptrun", "--script", "job.py", "nosuch.py")
    assert (status, out, "can't open file" in err) == (2, "", True)  # Python's own words


def test_program_may_run_beside_the_script(user: User) -> None:
    """`no-overlap` in FILE is about FILE: other programs run while it does, with its variables from files."""
    user.write(".env", "NAME=value\n")
    head = '# [tool.scriptrun]\n# no-overlap = true\n# overlap-status = 75\n# env-file = [".env"]\n'
    body = (
        "import subprocess\n"
        "print(subprocess.run(['scriptrun', '-q', 's.py']).returncode, flush=True)\n"
        "subprocess.run(['scriptrun', '--script', 's.py', 'v.py'])\n"
    )
    user.write("v.py", "import os\nprint(os.environ['NAME'])\n")
    user.write("s.py", f"# /// script\n# dependencies = []\n{head}# ///\n{body}")
    for _ in range(2):
        assert user.run("scriptrun", "-q", "s.py") == (0, "75\nvalue\n", "")
    status, _, err = user.run("scriptrun", "--no-overlap", "--script", "s.py", "v.py")
    assert (status, "`--no-overlap` is for a script at a path or a URL" in err) == (2, True)


def test_hint_says_what_can_be_run(user: User) -> None:
    """Where it is not ready and --offline forbids to prepare it, the hint is a command line that does prepare it."""
    status, _, err = user.run("scriptrun", "--offline", "--script", "job.py", "w.py")
    assert status == 125
    hint = f"SCRIPTRUN_OFFLINE=0 scriptrun --script {user.directory / 'job.py'} w.py"
    assert f"hint: when online, run: {hint}\n" in err
    assert user.run("sh", "-c", hint).status == 0


def test_a_known_answer_is_enough(user: User) -> None:
    """The second time nothing is imported but what a warm run of FILE by Python imports, and the file is not read."""
    assert user.run("scriptrun", "--script", "job.py", "-c", "").status == 0
    found = tiers.imported(user, "--script", "job.py", "-s", "nosuch.py")
    assert found == tiers.imported(user, "-q", "job.py")
    assert tiers.WORKED_OUT not in found
