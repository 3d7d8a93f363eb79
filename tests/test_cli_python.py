"""`scriptrun python list` and `scriptrun python find`, and the Python that a run gets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from support.user import User

BASE = os.path.realpath(sys.executable)
"""The base interpreter of the environment that scriptrun is installed in."""


def base_of(python: Path) -> str:
    """Return the version of a Python."""
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def with_pythons(user: User, *directories: Path | str) -> str:
    """Return a PATH that has these directories behind that of the command."""
    return ":".join([user.variables["PATH"].partition(":")[0], *map(str, directories), "/usr/bin", "/bin"])


@pytest.mark.slow
def test_list_has_every_python_once_newest_first(user: User, pythons: list[Path]) -> None:
    """Every Python on PATH is listed once, with version and path, newest first; JSON says the same and more."""
    path = with_pythons(user, *(python.parent for python in pythons))
    status, out, err = user.run("scriptrun", "python", "list", PATH=path)
    assert (status, err) == (0, "")
    rows = [line.split(maxsplit=2) for line in out.splitlines()]
    assert {("cpython", base_of(python), str(python)) for python in pythons} <= {tuple(row) for row in rows}
    versions = [[int(part) for part in re.findall(r"\d+", version)] for _, version, _ in rows]
    assert versions == sorted(versions, reverse=True)
    assert len({os.path.dirname(path) + version for _, version, path in rows}) == len(rows)
    listed = json.loads(user.run("scriptrun", "python", "list", "--json", PATH=path).out)
    assert [[one["implementation"], one["version"], one["path"]] for one in listed] == rows
    assert all({"abi", "platform", "free_threaded"} < set(one) for one in listed)


def test_list_finds_debians_python_without_path(user: User) -> None:
    """What the system has in /usr/bin is found also where PATH does not lead there (cron)."""
    system = sorted(path for path in Path("/usr/bin").glob("python3.*") if re.fullmatch(r"python3\.\d+", path.name))
    if not system and "CI" not in os.environ:
        system = [Path(BASE)]
    command = user.variables["PATH"].partition(":")[0]
    out = user.run("/bin/sh", f"{command}/scriptrun", "python", "list", PATH=command).out
    assert os.path.realpath(system[-1]) in out
    assert BASE in out


@pytest.mark.slow
def test_find_prints_the_path_that_a_run_uses(user: User, pythons: list[Path]) -> None:
    """`python find` prints a path and nothing else; it is the base of the Python that the script then runs on."""
    other = pythons[0] if str(pythons[0]) != BASE else pythons[-1]
    path = with_pythons(user, other.parent)
    version = base_of(other)
    user.script("s.py", head=f'# requires-python = "=={version}"\n', body="import sys; print(sys.base_prefix)\n")
    assert user.run("scriptrun", "python", "find", "s.py", PATH=path) == (0, f"{other}\n", "")
    assert user.environments() == []
    assert user.run("./s.py", PATH=path) == (0, f"{other.parent.parent}\n", "")
    found = json.loads(user.run("scriptrun", "python", "find", "--json", "s.py", PATH=path).out)
    assert (found["path"], found["version"]) == (str(other), version)
    assert found["reason"] == "the newest installed release that satisfies requires-python"


@pytest.mark.slow
def test_find_honours_every_way_to_ask(user: User, pythons: list[Path]) -> None:
    """-p before and behind, SCRIPTRUN_PYTHON and the block ask for the same; the first of them counts, and is named."""
    first, last = str(pythons[0]), str(pythons[-1])
    relative = os.path.relpath(last, user.directory)
    user.script("s.py")
    user.write("own.py", f'# /// script\n# [tool.scriptrun]\n# python = "{first}"\n# ///\n')
    ways: list[tuple[list[str], dict[str, Any], str, str]] = [
        (["python", "find", "s.py", "-p", last], {}, last, "--python"),
        (["-p", last, "python", "find", "s.py"], {}, last, "--python"),
        (["python", "find", "s.py"], {"SCRIPTRUN_PYTHON": last}, last, "SCRIPTRUN_PYTHON"),
        (["python", "find", "s.py"], {"SCRIPTRUN_PYTHON": relative}, last, "SCRIPTRUN_PYTHON"),
        (["python", "find", "own.py"], {}, first, "own.py:3"),
        (["python", "find", "own.py"], {"SCRIPTRUN_PYTHON": last}, last, "SCRIPTRUN_PYTHON"),
        (["python", "find", "own.py", "-p", first], {"SCRIPTRUN_PYTHON": last}, first, "--python"),
    ]
    for words, variables, path, by in ways:
        found = json.loads(user.run("scriptrun", *words, "--json", **variables).out)
        assert (found["path"], found["reason"]) == (path, f"asked for by {by}")


def test_request_that_the_script_forbids(user: User, pythons: list[Path]) -> None:
    """A Python that requires-python forbids is an error with the line of the script, whoever asked for it."""
    user.script("s.py", head='# requires-python = ">=3.99"\n')
    python = str(pythons[0])
    for words, variable, by in ((["-p", python], None, "--python"), ([], python, "SCRIPTRUN_PYTHON")):
        status, out, err = user.run("scriptrun", *words, "./s.py", SCRIPTRUN_PYTHON=variable)
        assert (status, out) == (125, "")
        assert f"./s.py:3: `{pythons[0]}` ({by}) is Python {base_of(pythons[0])}, which requires-python `>=3.99`" in err


def test_name_leads_where_path_leads_now(user: User, pythons: list[Path]) -> None:
    """`-p python3` is the python3 that is first on PATH at this run, not the one of an earlier run."""
    user.script("s.py", body="import sys; print(sys.base_prefix)\n")
    for python in (pythons[0], pythons[-1], pythons[0]):
        out = user.run("scriptrun", "-p", "python3", "s.py", PATH=f"{python.parent}:{user.variables['PATH']}").out
        assert out == f"{python.parent.parent}\n"


def test_name_in_a_block_leads_where_path_leads_now(user: User, pythons: list[Path]) -> None:
    """A name in [tool.scriptrun] is looked up at each run, so no launch record is written for it."""
    user.write(
        "s.py", '# /// script\n# [tool.scriptrun]\n# python = "python3"\n# ///\nimport sys; print(sys.base_prefix)'
    )
    for python in (pythons[0], pythons[-1]):
        out = user.run("scriptrun", "./s.py", PATH=f"{python.parent}:{user.variables['PATH']}").out
        assert out == f"{python.parent.parent}\n"
    assert user.records() == []


@pytest.mark.slow
def test_environment_that_was_made_anew(user: User, pythons: list[Path]) -> None:
    """`-p .venv` means the base of the environment as it is at this run."""
    user.script("s.py", body="import sys; print(sys.base_prefix)\n")
    for python in (pythons[0], pythons[-1]):
        environment = user.directory / ".venv"
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", "--clear", environment], check=True)
        for request in (".venv", "./.venv", ".venv/bin/python"):
            assert user.run("scriptrun", "-p", request, "s.py") == (0, f"{python.parent.parent}\n", "")


def test_activated_environment_has_no_part(user: User, pythons: list[Path]) -> None:
    """Started inside an activated virtual environment, also one that is first on PATH, a script gets a base."""
    environment = user.directory / "venv"
    subprocess.run([pythons[0], "-I", "-m", "venv", "--without-pip", environment], check=True)
    active: dict[str, Any] = {
        "VIRTUAL_ENV": str(environment),
        "PATH": f"{environment / 'bin'}:{user.variables['PATH']}",
    }
    user.script("s.py", body="import sys; print(sys.base_prefix, sys.prefix != sys.base_prefix)\n")
    assert user.run("scriptrun", "python", "find", "s.py", **active) == (0, f"{BASE}\n", "")
    assert user.run("./s.py", **active) == (0, f"{sys.base_prefix} True\n", "")
    out = user.run("scriptrun", "python", "list", **active).out
    assert str(environment) not in out
    assert str(pythons[0]) in out


def test_scriptrun_in_an_environment_within_an_environment(user: User) -> None:
    """Installed in a virtual environment that was made by the Python of another, scriptrun still finds the base."""
    inner = user.directory / "inner"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", "--copies", inner], check=True)
    (packages,) = inner.glob("lib/python3.*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        (packages / path.name).symlink_to(path)
    for name in ("scriptrun", "scriptrun-python"):
        shutil.copy(Path(sysconfig.get_path("scripts"), name), inner / "bin" / name)
    user.script("s.py")
    assert user.run(inner / "bin" / "scriptrun", "python", "find", "s.py") == (0, f"{BASE}\n", "")


def test_control_characters_are_escaped(user: User, pythons: list[Path]) -> None:
    """The path of a Python cannot move the cursor of a terminal where it is listed."""
    directory = user.directory / "\x1b[31m" / "bin"
    directory.mkdir(parents=True)
    (directory.parent / "lib").symlink_to(pythons[0].parent.parent / "lib")
    shutil.copy2(pythons[0], directory)
    finished = user.run("scriptrun", "python", "list", PATH=with_pythons(user, directory))
    assert finished.status == 0
    assert "\x1b" not in finished.out
    assert f"\\x1b[31m/bin/{pythons[0].name}\n" in finished.out
    missing = user.run("scriptrun", "python", "find", "-p", f"{directory}/none", "-")
    assert missing.status == 125
    assert "\\x1b[31m/bin/none" in missing.err
