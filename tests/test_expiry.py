"""The maximum age of pip's answer: asked again when it is over, and the old one kept when that fails."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support import generations, watch
from support import index as indexes
from support.index import Index
from support.user import User

from scriptrun import expiry, paths
from scriptrun.cache import Environment

pytestmark = pytest.mark.slow

BODY = "import demo; print(demo.V)\n"
DAY = 86400


@pytest.fixture
def user_of_index(user: User, index: Index) -> User:
    """A user whose index has `demo` 1.0, until the test adds more."""
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    return user


def programs(user: User, *command: str) -> list[str]:
    """Return the names of the programs that a run becomes or starts."""
    trace = user.directory / "trace"
    user.run("strace", "-f", "-e", "trace=execve", "-qq", "-o", str(trace), *command)
    started = [line for line in trace.read_text().splitlines() if line.endswith(" = 0")]
    return [line.split('"')[1].rpartition("/")[2] for line in started]


def test_answer_is_asked_for_again_when_it_is_too_old(user_of_index: User, index: Index) -> None:
    """Up to its age, a script starts through the launcher in what pip answered first; after it, in the newest."""
    user_of_index.script("s.py", "demo", head='# tool.scriptrun.max-age = "7 days"\n', body=BODY)
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    index.add(indexes.wheel("demo", "2.0"))
    generations.age(user_of_index, 6)
    assert programs(user_of_index, "./s.py") == ["s.py", "scriptrun", "python"]
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    generations.age(user_of_index, 2)
    assert user_of_index.run("./s.py") == (0, "2.0\n", "")
    assert programs(user_of_index, "./s.py") == ["s.py", "scriptrun", "python"]


def test_without_an_age_nothing_is_asked_again(user_of_index: User, index: Index) -> None:
    """By default an answer counts for ever, also where another script with the same needs has an age."""
    user_of_index.script("s.py", "demo", body=BODY)
    user_of_index.script("aging.py", "demo", head='# tool.scriptrun.max-age = "7 days"\n', body=BODY)
    for name in ("./s.py", "./aging.py"):
        assert user_of_index.run(name) == (0, "1.0\n", "")
    assert len(user_of_index.environments()) == 1
    index.add(indexes.wheel("demo", "2.0"))
    generations.age(user_of_index)
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    assert user_of_index.run("scriptrun", "--max-age", "60 days", "s.py") == (0, "1.0\n", "")
    assert user_of_index.run("./aging.py") == (0, "2.0\n", "")


@pytest.mark.parametrize("how", ["option", "variable", "configuration"])
def test_age_may_be_set_elsewhere(user_of_index: User, index: Index, how: str) -> None:
    """The age is an option, a variable and a setting too; a setting made after a warm run counts at the next."""
    user_of_index.script("s.py", "demo", body=BODY)
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    index.add(indexes.wheel("demo", "2.0"))
    generations.age(user_of_index)
    if how == "option":
        assert user_of_index.run("scriptrun", "--max-age=2w", "s.py") == (0, "2.0\n", "")
    elif how == "variable":
        assert user_of_index.run("./s.py", SCRIPTRUN_MAX_AGE="2w") == (0, "2.0\n", "")
    else:
        path = user_of_index.home / ".config/scriptrun/config.toml"
        path.parent.mkdir(parents=True)
        path.write_text('max-age = "2 weeks"\n')
        assert user_of_index.run("./s.py") == (0, "2.0\n", "")


def test_offline_nothing_expires(user_of_index: User) -> None:
    """With --offline an environment is used however old it is, in silence, and pip is not started."""
    user_of_index.script("s.py", "demo", head='# tool.scriptrun.max-age = "7 days"\n', body=BODY)
    user_of_index.run("./s.py")
    generations.age(user_of_index)
    (before,) = user_of_index.environments()
    for _ in range(2):
        assert user_of_index.run("./s.py", SCRIPTRUN_OFFLINE="1") == (0, "1.0\n", "")
    assert user_of_index.environments() == [before]


def test_failure_keeps_the_old_environment(user_of_index: User, index: Index) -> None:
    """When pip fails, the old environment is used with a warning, and pip is left alone for an hour."""
    user_of_index.script("s.py", "demo", head='# tool.scriptrun.max-age = "7 days"\n', body=BODY)
    user_of_index.run("./s.py")
    generations.age(user_of_index)
    (environment,) = user_of_index.environments()
    index.status = 500
    status, out, err = user_of_index.run("./s.py")
    assert (status, out) == (0, "1.0\n")
    assert err.startswith("scriptrun: warning: ./s.py:5: pip was to be asked again, as its answer is older than 7 days")
    assert err.endswith("; going on with the old one\n")
    assert err.count("\n") == 1
    assert programs(user_of_index, "./s.py") == ["s.py", "scriptrun", "python"]
    assert user_of_index.run("./s.py") == (0, "1.0\n", "")
    due = (environment / f".due-{7 * DAY}").stat().st_mtime
    assert 0 < due - time.time() <= 3600
    index.status = 0
    index.add(indexes.wheel("demo", "2.0"))
    generations.age(user_of_index)
    assert user_of_index.run("./s.py") == (0, "2.0\n", "")


@pytest.mark.parametrize("status", [0, 500])
def test_many_runs_ask_once(user_of_index: User, index: Index, status: int) -> None:
    """Of sixteen runs at the moment that the age is over, one asks pip, whether it succeeds or fails; none fails.

    Those that come while it is being asked go on with the old environment.
    """
    user_of_index.script("s.py", "demo", head='# tool.scriptrun.max-age = "7 days"\n', body=BODY)
    user_of_index.run("./s.py")
    generations.age(user_of_index)
    index.add(indexes.wheel("demo", "2.0"))
    index.requests.clear()
    gate = watch.Gate(index)
    index.status = status
    running = [watch.start(user_of_index, "./s.py") for _ in range(16)]
    gate.wait()
    gate.open()
    ended = [watch.end(process) for process in running]
    assert {one[0] for one in ended} == {0}
    if status:
        assert {one[1] for one in ended} == {"1.0\n"}
        assert sum("warning" in one[2] for one in ended) == 1
    else:
        assert (0, "2.0\n", "") in ended
        assert set(ended) <= {(0, "2.0\n", ""), (0, "1.0\n", "")}
        assert user_of_index.run("./s.py") == (0, "2.0\n", "")
        assert index.requests.count("/simple/demo/") == 1


@pytest.mark.parametrize("created", ["", "soon", 5, "2999-01-01T00:00:00Z"])
def test_environment_of_no_age_is_due(tmp_path: Path, created: object) -> None:
    """Where it is not known when an environment was made, it is as if long ago: pip is asked, no error is raised."""
    environment = Environment(str(tmp_path), {"created": created})
    assert expiry.is_due(environment, DAY)
    assert not expiry.is_due(environment, 0)
    expiry.postpone(environment, DAY)
    assert not expiry.is_due(environment, DAY)
    assert expiry.is_due(environment, 2 * DAY)
    expiry.postpone(environment, 1)
    assert os.stat(paths.due(environment.path, 1)).st_mtime > time.time() + expiry.RETRY - DAY / 100
