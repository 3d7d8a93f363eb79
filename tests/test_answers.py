"""What pip answered counts for other questions too, for a while: scripts, a real pip and an index."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from support import asking
from support import index as indexes
from support.graphs import Graph
from support.index import Index
from support.user import User

PRINT = "import importlib.metadata as m; print(*sorted(f'{one.name} {one.version}' for one in m.distributions()))\n"
ASKED, KEPT = "scriptrun: finding out what is needed\n", "scriptrun: putting together what is kept"


@pytest.fixture
def own(user: User, index: Index) -> User:
    """A user whose pip asks an index of the test's own, with `demo` 1.0 and 2.0 and `other`, which wants `demo<2`."""
    user.variables["PIP_INDEX_URL"] = index.url
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"))
    index.add(indexes.wheel("other", "1.0", requires=["demo<2"]))
    return user


def run(user: User, *requirements: str, options: tuple[str, ...] = (), head: str = "") -> tuple[list[str], bool]:
    """Run a script with these requirements; return what it finds installed, and whether pip was asked."""
    user.script("s.py", *requirements, body=PRINT, head=head)
    finished = user.run("scriptrun", "--verbose", *options, "s.py")
    assert finished.status == 0, finished.err
    assert (ASKED in finished.err) != (KEPT in finished.err)
    installed = finished.out.split()
    return [
        f"{name} {version}" for name, version in zip(installed[::2], installed[1::2], strict=True)
    ], ASKED in finished.err


def answer(user: User, *words: str) -> str:
    """Return what --explain says of the script: whether it is a hit, and why."""
    finished = user.run("scriptrun", "--explain", *words, "s.py")
    assert finished.status == 0, finished.err
    return next(line.partition(": ")[2].strip() for line in finished.out.splitlines() if line.startswith("answer:"))


def _check(environment: Path) -> int:
    """Return the status of `pip check` for an environment."""
    command = [sys.executable, "-m", "pip", "--python", str(environment / "bin/python"), "check"]
    return subprocess.run(command, check=False, timeout=300, capture_output=True).returncode


def configure(user: User, text: str) -> None:
    """Write the user's configuration."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_new_set_that_is_covered(own: User, index: Index) -> None:
    """A new set whose every version pip took before is put together without pip and index, `--explain` says why, and
    pip finds nothing wrong; one that needs what pip never took is for pip.
    """
    assert run(own, "demo") == (["demo 2.0"], True)
    own.script("s.py", "other", "demo>=1")
    assert answer(own) == "miss: pip would be asked: pip never looked at `other`"
    assert run(own, "other") == (["demo 1.0", "other 1.0"], True)
    requests = len(index.requests)
    own.script("s.py", "other", "demo>=1,<2")
    assert answer(own).startswith("miss: pip would not be asked: pip's answers to others cover it, since 20")
    assert run(own, "other", "demo>=1,<2") == (["demo 1.0", "other 1.0"], False)
    assert run(own, "demo!=1.0") == (["demo 2.0"], False)
    assert len(index.requests) == requests
    own.script("s.py", "other", "demo")
    assert answer(own) == "miss: pip would be asked: `demo<2` leaves `demo` 1.0, and others leave 2.0"
    assert [_check(path) for path in own.environments()] == [0] * 4


@pytest.mark.slow
def test_upload_in_between(own: User, index: Index) -> None:
    """Within `answers.max-age` what was remembered counts, also where something newer was uploaded meanwhile; not with
    --refresh, and not where it is 0.
    """
    run(own, "demo")
    index.add(indexes.wheel("demo", "3.0"))
    assert run(own, "demo>=1.5") == (["demo 2.0"], False)
    assert run(own, "demo>=1.5", options=("--refresh",)) == (["demo 3.0"], True)
    assert run(own, "demo>=1.6") == (["demo 3.0"], False)
    index.add(indexes.wheel("demo", "4.0"))
    configure(own, '[answers]\nmax-age = "0"\n')
    own.script("s.py", "demo>=1.7")
    assert answer(own) == "miss: pip would be asked: `answers.max-age` is 0"
    assert run(own, "demo>=1.7") == (["demo 4.0"], True)
    configure(own, '[answers]\nmax-age = "1 hour"\n')
    assert run(own, "demo>=1.8") == (["demo 4.0"], False)


@pytest.mark.slow
def test_what_was_covered_is_judged_anew(own: User) -> None:
    """What answers to others cover is not told as pip's own once its environment has gone, and stays as old as they."""
    run(own, "demo")
    assert run(own, "demo>=1") == (["demo 2.0"], False)
    _lose(own)
    covered = "miss: pip would not be asked: pip's answers to others cover it, since 20"
    assert answer(own).startswith(covered)
    _age(own)
    configure(own, '[answers]\nmax-age = "1 hour"\n')
    assert answer(own) == "miss: pip would be asked: pip's last look at `demo` was too long ago"
    configure(own, '[answers]\nmax-age = "0"\n')
    assert answer(own) == "miss: pip would be asked: `answers.max-age` is 0"
    own.script("s.py", "demo")
    told = r"miss: pip would not be asked: pip answered this question \S+ \d\d:\d\d UTC"
    assert re.fullmatch(told, answer(own))


def _lose(user: User) -> None:
    """Remove the environments, and nothing else."""
    shutil.rmtree(user.cache / "v1/envs")


@pytest.mark.slow
def test_answer_whose_distributions_have_gone(own: User) -> None:
    """What pip answered is no answer without the store, and `--explain` and `-v` say so; pip is asked."""
    run(own, "demo")
    _lose(own)
    shutil.rmtree(own.cache / "v1/store")
    why = "pip answered this question before, but `demo` 2.0 is not kept any more"
    assert answer(own) == f"miss: pip would be asked: {why}"
    finished = own.run("scriptrun", "--verbose", "s.py")
    assert f"scriptrun: asking pip: {why}\n" in finished.err
    _lose(own)
    finished = own.run("scriptrun", "--verbose", "s.py")
    assert "scriptrun: putting together what is kept: pip answered this question 20" in finished.err


@pytest.mark.slow
def test_what_pip_saw_to_be_yanked_is_not_put_together(own: User, index: Index) -> None:
    """An answer that holds a version which pip has since seen to be yanked is none, for whoever puts it together."""
    for requirement in ("demo", "demo>=0.1"):
        run(own, requirement)
    own.script("t.py", "demo", body=PRINT)
    own.run("./t.py")
    index.yanked.add("demo-2.0-py3-none-any.whl")
    assert run(own, "demo>=0.2", options=("--refresh",)) == (["demo 1.0"], True)
    _lose(own)
    assert run(own, "demo>=0.1") == (["demo 1.0"], False)
    assert own.run("./t.py").out == "demo 1.0\n"
    assert run(own, "demo==2.0") == (["demo 2.0"], True)
    assert run(own, "demo>=0.3", options=("--refresh",)) == (["demo 1.0"], True)
    _lose(own)
    assert run(own, "demo==2.0") == (["demo 2.0"], False)


@pytest.mark.slow
def test_yanked_in_between(own: User, index: Index) -> None:
    """A version that was yanked when pip looked is not taken, though it was taken before."""
    run(own, "demo")
    index.yanked.add("demo-2.0-py3-none-any.whl")
    assert run(own, "demo", options=("--refresh",)) == (["demo 1.0"], True)
    assert run(own, "demo>=0.5") == (["demo 1.0"], False)
    own.script("s.py", "demo==2.0")
    assert answer(own) == "miss: pip would be asked: no version of `demo` is known that `==2.0` allows"


@pytest.mark.slow
def test_an_age_of_the_script_counts_too(own: User, index: Index) -> None:
    """An answer older than the script's own max-age is none, be the environment there or gone."""
    run(own, "demo")
    _age(own)
    index.add(indexes.wheel("demo", "3.0"))
    _lose(own)
    why = "miss: pip would be asked: pip's last look at `demo` was too long ago"
    assert answer(own, "--max-age", "1 hour") == why
    assert answer(own, "--max-age", "3 hours").startswith("miss: pip would not be asked: pip answered")
    assert run(own, "demo") == (["demo 2.0"], False)
    assert answer(own, "--max-age", "1 hour") == "miss: pip would be asked: what pip answered is older than `max-age`"
    assert run(own, "demo", options=("--max-age", "1 hour")) == (["demo 3.0"], True)


def _age(user: User) -> None:
    """Let all that pip answered be of two hours ago."""
    for path in [*user.cache.glob("v1/pip/answers/*"), *user.cache.glob("v1/pip/projects/*/*")]:
        content = json.loads(path.read_bytes())
        path.write_text(json.dumps({**content, "asked": content["asked"] - 7200}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ({"options": ("--pre",)}, "pre-releases are wanted"),
        ({"PIP_PREFER_BINARY": "1"}, "wheels are preferred to newer versions"),
        ({"PIP_CONSTRAINT": "c.txt"}, "pip's own settings name constraints"),
        ({"PIP_FIND_LINKS": "."}, "pip looks into a directory of this machine"),
        ({"options": ("--exclude-newer", "7 days")}, "what counts as uploaded too late moves with the clock"),
        ({"options": ("--exclude-newer", "2020-01-01")}, "pip never looked at `demo`"),
        ({"options": ("--no-binary", "demo")}, "pip never looked at `demo`"),
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple/"}, "pip never looked at `demo`"),
    ],
)
def test_what_answers_do_not_count_for(warm: User, setup: dict[str, object], reason: str) -> None:
    """Settings under which pip would choose otherwise, or look elsewhere, are a question of their own."""
    options = setup.get("options", ())
    assert isinstance(options, tuple)
    user = replace(warm, variables={**warm.variables, **{name: str(value) for name, value in setup.items()}})
    finished = user.run("scriptrun", "--explain", *options, "s.py")
    assert f"answer:      miss: pip would be asked: {reason}\n" in finished.out, finished.err


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, command: Path, shared_index: Index) -> User:
    """A user for whom pip installed `demo`, and who has a script with another requirement for it."""
    from support import user as users

    user = users.create(tmp_path_factory.mktemp("warm"), command, shared_index.url)
    user.script("s.py", "demo")
    user.run("./s.py")
    user.write("c.txt", "demo<2\n")
    user.script("s.py", "demo>=1")
    return user


@pytest.mark.slow
def test_environments_that_are_covered(own: User, index: Index) -> None:
    """On a random graph, an environment that is put together is what pip answers, and `pip check` finds it whole."""
    graph = Graph(Random(2), "g")
    graph.publish(index)
    alone, together = [[name] for name in graph.names], [graph.question() for _ in range(12)]
    said = list(asking.ask(sys.executable, index.url, [*alone, *together]))
    for question, expected in zip([*alone, *together], said, strict=True):
        own.script("s.py", *(text.replace('"', "'") for text in question), body=PRINT)
        if expected is not None and (question in alone or "not be asked" in answer(own)):
            finished = own.run("./s.py")
            installed = sorted(f"{name} {version}" for name, version in expected.versions.items())
            assert finished.out.split() == " ".join(installed).split()
    assert len(own.environments()) > sum(one is not None for one in said[: len(alone)]) + 1
    assert [_check(path) for path in own.environments()] == [0] * len(own.environments())
