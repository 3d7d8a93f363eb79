"""`scriptrun env SCRIPT`: what an editor needs to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.index import Index
from support.user import User

KEYS = [
    "script",
    "key",
    "ready",
    "environment",
    "python",
    "base_python",
    "requires_python",
    "requirements",
    "distributions",
]


def facts(user: User, *words: str, **variables: Any) -> dict[str, Any]:
    """Return what `scriptrun WORDS` prints, which is nothing but an object."""
    status, out, err = user.run("scriptrun", *words, **variables)
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert isinstance(content, dict)
    return content


def test_object_before_and_after_the_first_run(user: User, shared_index: Index) -> None:
    """Every key is there from the start; what a run makes is null or empty until then, and the key stays."""
    path = user.script("s.py", "Other", "DEMO >= 1", head='# requires-python = ">=3.8"\n')
    asked = len(shared_index.requests)
    before = facts(user, "env", "s.py", "--json")
    assert list(before) == KEYS
    assert before["script"] == str(path)
    assert before["requirements"] == ["demo>=1", "other"]
    assert before["requires_python"] == ">=3.8"
    assert [before[name] for name in ("ready", "environment", "python", "distributions")] == [False, None, None, []]
    assert user.environments() == []
    assert len(shared_index.requests) == asked
    assert user.run("./s.py").status == 0
    after = facts(user, "env", "--json", "s.py")
    (environment,) = user.environments()
    assert {**before, "ready": True, "environment": str(environment), "distributions": after["distributions"]} == {
        **after,
        "python": None,
    }
    assert after["python"] == str(environment / "bin" / "python")
    assert [(one["name"], one["version"]) for one in after["distributions"]] == [("demo", "1.0"), ("other", "1.0")]
    assert all(one["hash"] for one in after["distributions"])
    assert all(one["origin"].startswith(shared_index.url.removesuffix("simple/")) for one in after["distributions"])


@pytest.mark.slow
def test_base_python_is_the_one_that_would_be_used(user: User, pythons: list[Path]) -> None:
    """`base_python` has path and version of the interpreter, also before the first run; -p may stand anywhere."""
    user.script("s.py")
    python = str(pythons[0])
    base = facts(user, "env", "s.py", "--json", "-p", python)
    assert base["base_python"]["path"] == python
    assert facts(user, "-p", python, "env", "s.py", "--json") == base
    assert facts(user, "env", "s.py", "--json", SCRIPTRUN_PYTHON=python) == base
    assert facts(user, "env", "s.py", "--json")["key"] != base["key"]


@pytest.mark.slow
def test_requirements_of_options_count(user: User) -> None:
    """--with before the command, behind it, in the variable: each names the environment that a run would get."""
    user.script("s.py", "demo")
    expected = facts(user, "env", "s.py", "--json", "--with", "tool", "--with", "other")
    assert expected["requirements"] == ["demo", "other", "tool"]
    assert facts(user, "--with", "other", "env", "-w", "tool", "s.py", "--json") == expected
    assert facts(user, "env", "s.py", "--json", SCRIPTRUN_WITH="other\ntool") == expected
    assert facts(user, "env", "s.py", "--with=tool", "--json", SCRIPTRUN_WITH="x")["requirements"] == ["demo", "tool"]


@pytest.mark.slow
def test_environment_of_a_run_with_options(user: User) -> None:
    """What a run with options made is what `env` with the same options shows."""
    user.script("s.py", body="import sys; print(sys.prefix)\n")
    prefix = user.run("scriptrun", "--with", "demo", "s.py").out.strip()
    assert facts(user, "env", "s.py", "--with", "demo", "--json")["environment"] == prefix
    assert facts(user, "env", "s.py", "--json")["ready"] is False


def test_script_on_standard_input(user: User) -> None:
    """`-` is the script on standard input, called `-`; its environment is that of the same block in a file."""
    path = user.script("s.py", "demo")
    status, out, _ = user.run("scriptrun", "env", "-", "--json", stdin=path.read_bytes())
    assert status == 0
    assert json.loads(out) == {**facts(user, "env", "s.py", "--json"), "script": "-"}


@pytest.mark.slow
def test_script_is_an_absolute_path(user: User) -> None:
    """The script is named by its absolute path, from wherever it is asked for, and as it was asked for."""
    path = user.script("sub/s.py")
    link = user.directory / "link.py"
    link.symlink_to(path)
    assert user.run("scriptrun", "env", "--json", "s.py", cwd=path.parent).status == 0
    assert json.loads(user.run("scriptrun", "env", "--json", "s.py", cwd=path.parent).out)["script"] == str(path)
    assert facts(user, "env", "link.py", "--json")["script"] == str(link)


@pytest.mark.slow
def test_text_for_people(user: User) -> None:
    """Without --json it is a line for each fact, which tells of what is not there yet."""
    user.script("s.py", "demo")
    lines = dict(line.split(":", 1) for line in user.run("scriptrun", "env", "s.py").out.splitlines())
    assert list(lines) == ["script", "key", "environment", "python", "requirements", "distributions"]
    assert lines["environment"].strip() == "not ready: the first run prepares it"
    user.run("./s.py")
    lines = dict(line.split(":", 1) for line in user.run("scriptrun", "env", "s.py").out.splitlines())
    assert lines["distributions"].strip() == "demo 2.0"
    assert lines["environment"].strip() == str(user.environments()[0])


@pytest.mark.slow
def test_control_characters_are_escaped(user: User) -> None:
    """What a script is called or asks for cannot move the cursor of a terminal."""
    user.script("\x1b[31mred\n.py", "demo ; platform_version != '\\u001b[31m'")
    status, out, err = user.run("scriptrun", "env", "\x1b[31mred\n.py")
    assert (status, out) == (125, "")
    assert "\x1b" not in err
    assert "\\x1b[31mred\\x0a.py:4: `demo ; platform_version != '\\x1b[31m'` holds a control character" in err
    missing = user.run("scriptrun", "env", "\x1b]0;x\x07.py")
    assert missing == (127, "", "scriptrun: error: no such file: `\\x1b]0;x\\x07.py`\n")


@pytest.mark.slow
def test_credentials_are_not_shown(user: User) -> None:
    """A password in the URL of a requirement is printed neither as text nor as JSON."""
    url = "demo @ https://me:secret@127.0.0.1:9/demo-1.0-py3-none-any.whl"
    user.script("s.py", url)
    for words in (["env", "s.py"], ["env", "s.py", "--json"], ["--explain", "s.py"]):
        status, out, err = user.run("scriptrun", *words)
        assert status == 0
        assert "127.0.0.1" in out
        assert "secret" not in out + err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("nowhere.py", 127), ("folder", 126), ("bad.py", 125)])
def test_status_of_failures(user: User, name: str, status: int) -> None:
    """A script that is missing, a directory or not valid has the status that a run of it has, and prints no data."""
    (user.directory / "folder").mkdir()
    user.write("bad.py", "# /// script\n# dependencies = 1\n# ///\n")
    finished = user.run("scriptrun", "env", f"./{name}", "--json")
    assert (finished.status, finished.out) == (status, "")
    assert finished.err == user.run("scriptrun", f"./{name}").err
