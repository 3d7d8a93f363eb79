"""`scriptrun --explain SCRIPT`: what a run would do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow


def explain(user: User, *words: str, **variables: Any) -> list[tuple[str, str]]:
    """Return the rows that `scriptrun --explain WORDS` prints."""
    status, out, err = user.run("scriptrun", "--explain", *words, **variables)
    assert (status, err) == (0, "")
    return [(name, text.strip()) for name, _, text in (line.partition(":") for line in out.splitlines())]


def row(rows: list[tuple[str, str]], name: str) -> str:
    """Return the row of this name."""
    return dict(rows)[name]


def test_nothing_is_run_built_or_asked(user: User, shared_index: Index) -> None:
    """An explanation leaves no environment and no record, opens no connection and does not start the script."""
    user.script("s.py", "demo", body="raise SystemExit(3)\n")
    asked = len(shared_index.requests)
    explain(user, "s.py")
    explain(user, "--refresh", "s.py")
    explain(user, "--isolated", "s.py")
    assert (user.environments(), user.records(), len(shared_index.requests)) == ([], [], asked)
    assert not list(user.cache.glob("v1/isolated/*"))


def test_miss_then_hit(user: User) -> None:
    """Before the first run it is a miss, afterwards a hit in the environment that the run used; the inputs are told."""
    user.script("s.py", "demo>=1", body="import sys; print(sys.prefix)\n")
    before = explain(user, "./s.py")
    assert row(before, "answer") == "miss: pip would be asked: pip never looked at `demo`"
    assert row(before, "block") == "lines 2 to 6"
    assert row(before, "requirement") == "demo>=1 (./s.py:4)"
    assert row(before, "record").startswith("none yet")
    assert row(before, "python").endswith("the Python that scriptrun runs on satisfies requires-python")
    prefix = user.run("./s.py").out.strip()
    after = explain(user, "./s.py")
    assert row(after, "answer") == "hit: the environment is ready"
    assert row(after, "environment") == prefix
    assert row(after, "record") == "the launcher starts the script by itself, without deciding anew"
    assert row(before, "key") == row(after, "key")


def test_what_changed_since_the_last_run(user: User, pythons: list[Path]) -> None:
    """After an edit the requirements that came and went are told, and the Python where that is another."""
    user.script("s.py", "demo", "other")
    user.run("./s.py")
    (environment,) = user.environments()
    assert "since then" not in dict(explain(user, "s.py"))
    user.script("s.py", "demo", "tool==1.0")
    rows = explain(user, "s.py")
    assert row(rows, "answer").startswith("miss")
    assert row(rows, "last run in") == str(environment)
    changes = [text for name, text in rows if name == "since then"]
    assert changes == ["- requirements: other", "+ requirements: tool==1.0"]
    python = next(path for path in pythons if str(path) not in row(rows, "python"))
    changes = [text for name, text in explain(user, "-p", str(python), "s.py") if name == "since then"]
    assert any(text.startswith("interpreter path: ") and text.endswith(f"-> {python}") for text in changes)


def test_options_are_told_by_variable_too(user: User) -> None:
    """An option is told whether it stands on the command line, in a variable or in the block."""
    user.script("s.py")
    by_option = explain(user, "--with", "demo", "--pre", "s.py")
    by_variable = explain(user, "s.py", SCRIPTRUN_WITH="demo", SCRIPTRUN_PRE="1")
    assert [text for name, text in by_option if name == "option"] == ["pre = true", "with = demo"]
    differing = ("took", "requirement")
    assert [one for one in by_option if one[0] not in differing] == [
        one for one in by_variable if one[0] not in differing
    ]
    assert row(by_option, "requirement") == "demo (--with)"
    assert row(by_variable, "requirement") == "demo (SCRIPTRUN_WITH)"
    assert row(by_option, "record").startswith("none: a run with options")
    user.write("block.py", "# /// script\n# [tool.scriptrun]\n# pre = true\n# ///\n")
    assert row(explain(user, "block.py"), "option") == "pre = true"


def test_why_pip_would_be_asked(user: User) -> None:
    """What makes a run a miss although the environment is there is said, and what --offline would forbid."""
    user.script("s.py", "demo")
    assert row(explain(user, "--offline", "s.py"), "answer") == (
        "miss: pip would have to be asked, which --offline forbids: pip never looked at `demo`"
    )
    user.run("./s.py")
    assert row(explain(user, "--offline", "s.py"), "answer") == "hit: the environment is ready"
    assert row(explain(user, "--refresh", "s.py"), "answer") == "miss: --refresh builds anew, and asks pip"
    assert row(explain(user, "--isolated", "s.py"), "answer").startswith(
        "miss: --isolated always builds an environment; pip would not be asked: pip answered"
    )
    user.write("plain.py", "print(1)\n")
    assert row(explain(user, "plain.py"), "answer") == "miss: an empty environment would be made"


def test_each_step_has_its_time(user: User) -> None:
    """How long it took to read, to choose, to compute and to look up is told step by step."""
    user.script("s.py", "demo")
    steps = [text.split(" ms to ") for name, text in explain(user, "s.py") if name == "took"]
    assert [step for _, step in steps] == [
        "read the block",
        "choose a Python",
        "compute the key",
        "look up the environment",
    ]
    assert all(float(time) >= 0 for time, _ in steps)


def test_script_that_the_launcher_cannot_answer_for(user: User) -> None:
    """Why there will be no launch record is said: a block far down, a requirement that may move."""
    user.write("far.py", "#\n" * 5000 + "\n# /// script\n# dependencies = []\n# ///\n")
    assert row(explain(user, "far.py"), "record") == "none: the block is too far down, or the program is not a file"
    user.write("moving.py", '# /// script\n# dependencies = ["x @ git+https://127.0.0.1:9/x"]\n# ///\n')
    assert row(explain(user, "moving.py"), "record").startswith("none: something else")


def test_control_characters_are_escaped(user: User) -> None:
    """What a script is called cannot move the cursor of a terminal, nor add a row."""
    name = "\x1b[31mred\nkey: \u202efalse.py"
    user.script(name, "demo")
    rows = explain(user, name)
    assert row(rows, "script") == "\\x1b[31mred\\x0akey: \\u202efalse.py"
    assert "\x1b" not in str([text for _, text in rows])


def test_failure_is_that_of_a_run(user: User) -> None:
    """A block that is not valid fails an explanation as it fails a run."""
    user.write("s.py", "# /// script\n# dependencies = 1\n# ///\n")
    assert user.run("scriptrun", "--explain", "s.py") == user.run("scriptrun", "s.py")
