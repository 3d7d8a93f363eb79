"""Variables for the script from files: --env-file, SCRIPTRUN_ENV_FILE, and `env-file` in the block."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.user import User

SHOW = "import json, os\nprint(json.dumps({name: os.environ.get(name) for name in 'ABCD'}))\n"


def shown(user: User, *words: str | Path, **variables: str) -> list[str | None]:
    """Return what the variables A to D are for the script."""
    status, out, err = user.run("scriptrun", *words, **variables)  # type: ignore[arg-type]  # they are all text
    assert (status, err) == (0, "")
    return list(json.loads(out).values())


@pytest.mark.slow
def test_variables_of_files(user: User) -> None:
    """Of two files the later one counts, the environment before both; cold and warm, wherever the option stands."""
    script = user.script("s.py", body=SHOW)
    user.write("one", "A=1\nexport B='two words' # comment\nC=${A}${D}\n\n# D=no\n")
    user.write("two", 'A=2\nD="x\\ny"\n')
    both = ("--env-file", "one", "--env-file=two")
    for _ in range(2):
        assert shown(user, *both, "s.py") == ["2", "two words", "1", "x\ny"]
        assert shown(user, *both, "-q", "s.py", A="own", B="") == ["own", "", "own", "x\ny"]
    assert shown(user, "--env-file", "two", "-p3", "--env-file=one", "--pre", script) == [
        "1",
        "two words",
        "1x\ny",
        "x\ny",
    ]
    assert shown(user, "s.py") == [None] * 4
    assert user.run("scriptrun", "s.py", "--env-file", "missing").status == 0


def test_content_counts_at_the_next_run(user: User) -> None:
    """A file that changes counts at once, though the answer is remembered, and no launch record passes it by."""
    user.script("s.py", body=SHOW, head="# tool.scriptrun.env-file = ['.env']\n")
    for content in ("1", "2"):
        user.write(".env", f"A={content}\n")
        assert shown(user, "s.py") == [content, None, None, None]
    assert user.records() == []
    assert len(list(user.cache.glob("v1/answers/*"))) == 1


@pytest.mark.slow
def test_block_names_files_from_the_scripts_directory(user: User) -> None:
    """The same block in two directories means two files; an option, or the variable, takes its place."""
    for name in ("a", "b"):
        user.script(f"{name}/s.py", body=SHOW, head="# tool.scriptrun.env-file = ['v/.env']\n")
        user.write(f"{name}/v/.env", f"A={name}\n")
    user.write("c", "B=c\n")
    for _ in range(2):
        assert shown(user, "a/s.py") == ["a", None, None, None]
        assert shown(user, user.directory / "b/s.py") == ["b", None, None, None]
        assert shown(user, "--env-file", "c", "a/s.py") == [None, "c", None, None]
        assert shown(user, "a/s.py", SCRIPTRUN_ENV_FILE="c a/v/.env") == ["a", "c", None, None]
    assert len(user.environments()) == 1


def test_launcher_asks_for_the_variable(user: User) -> None:
    """SCRIPTRUN_ENV_FILE counts for a script that the launcher starts by itself else."""
    user.script("s.py", body=SHOW)
    user.write("v", "A=1\n")
    assert shown(user, "s.py") == [None] * 4
    assert len(user.records()) == 1
    assert shown(user, "s.py", SCRIPTRUN_ENV_FILE="v") == ["1", None, None, None]


def test_nothing_but_the_script_is_changed(user: User) -> None:
    """Variables of scriptrun's, pip's and Python's in a file change neither the environment nor what prepares it."""
    body = "import demo, os, sys\nfor name in ('VIRTUAL_ENV', 'PYTHONHOME', 'SCRIPTRUN_WITH', 'PIP_INDEX_URL'):\n"
    body += "    print(os.environ.get(name))\nprint(os.environ['PATH'].split(':')[0], sys.prefix)\n"
    user.script("s.py", "demo", body=body)
    names = ("SCRIPTRUN_WITH=nosuch", "SCRIPTRUN_CACHE_DIR=/nowhere", "PIP_INDEX_URL=http://127.0.0.1:9/")
    user.write("v", "\n".join([*names, "PYTHONHOME=/nowhere", "VIRTUAL_ENV=/nowhere", "PATH=/nowhere"]) + "\n")
    index = user.variables["PIP_INDEX_URL"]
    for _ in range(2):
        status, out, err = user.run("scriptrun", "--env-file", "v", "s.py")
        (environment,) = user.environments()
        expected = f"{environment}\nNone\nnosuch\n{index}\n{environment}/bin {environment}\n"
        assert (status, out, err) == (0, expected, "")


@pytest.mark.slow
@pytest.mark.parametrize("warm", [False, True])
def test_file_that_cannot_be_read(user: User, warm: bool) -> None:  # noqa: FBT001 - a table's column
    """A missing file, a directory or other bytes end the run, with the place that names them."""
    user.script("s.py", body=SHOW, head="# [tool.scriptrun]\n# env-file = [\n#   'a',\n#   'b',\n# ]\n")
    text = (user.directory / "s.py").read_text().replace("# dependencies = [\n# ]\n", "")
    user.write("s.py", text)
    for name in "ab" if warm else "a":
        user.write(name, "")
    if warm:
        assert user.run("scriptrun", "s.py").status == 0
        (user.directory / "b").unlink()
    missing = user.directory / "b"
    expected = f"s.py:6: the file of variables `{missing}` cannot be read: No such file or directory\n"
    assert user.run("scriptrun", "-q", "s.py") == (125, "", f"scriptrun: error: {expected}")
    status, out, err = user.run("scriptrun", "--env-file", "none", "s.py")
    assert (status, out) == (2, "")
    assert (
        f"`{user.directory / 'none'}` cannot be read: No such file or directory\nhint: it is named by --env-file" in err
    )
    assert user.run("scriptrun", "--env-file", ".", "s.py").status == 2
    user.write("latin", b"A=\xe9\n")
    assert user.run("scriptrun", "--env-file", "latin", "s.py").err.startswith(
        f"scriptrun: error: {user.directory / 'latin'}: not UTF-8: "
    )
    user.write("nul", b"A=1\nB=\0\n")
    assert user.run("scriptrun", "--env-file", "nul", "s.py")[::2] == (
        125,
        f"scriptrun: error: {user.directory / 'nul'}:2: a variable cannot hold a NUL\n",
    )


def test_line_that_is_no_variable_is_told(user: User) -> None:
    """A malformed line warns with its place, and the others count; `-q` says nothing."""
    user.script("s.py", body=SHOW)
    user.write("v", "A=1\n\n=what is this\nB=2\nC\n")
    status, out, err = user.run("scriptrun", "--env-file", "v", "s.py")
    assert (status, json.loads(out)) == (0, {"A": "1", "B": "2", "C": None, "D": None})
    assert err == f"scriptrun: warning: {user.directory / 'v'}:3: this is not NAME=VALUE; it is ignored\n"
    assert shown(user, "-q", "--env-file", "v", "s.py")[:2] == ["1", "2"]


def test_a_pipe_is_read_once(user: User) -> None:
    """A file may be what a shell makes of a program's output; `--isolated`, `-c` and `-m` get variables, too."""
    user.script("s.py", body=SHOW)
    for words in ("s.py", "--isolated s.py", "-c 'exec(open(\"s.py\").read())'", "-m s"):
        status, out, err = user.run("bash", "-c", f"scriptrun --env-file <(echo A=1) {words}")
        assert (status, json.loads(out)["A"], err) == (0, "1", "")
