"""What pip would install, asked without installing it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import index as indexes
from support.index import Index
from support.user import User

from scriptrun import consult, interpreters, spec
from scriptrun.arguments import Options
from scriptrun.errors import InstallError
from scriptrun.metadata import Asked
from scriptrun.order import Order
from scriptrun.policy import Policy


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache."""
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def order(user: User, *requirements: str) -> Order:
    """Return the order for an environment with these requirements, of the Python that runs the tests."""
    interpreter = interpreters.identify(sys.executable, str(user.directory), user.variables)
    assert interpreter is not None
    asked = tuple(Asked(Requirement(one), f"s.py:{line}") for line, one in enumerate(requirements, 3))
    specified = spec.specify(interpreter, asked, Options())
    return Order(specified, asked, Options(), user.variables, lambda _line: None)


def test_candidates_are_told_and_nothing_is_left(user: User, shared_index: Index, cache: Path) -> None:
    """Every distribution that pip would install comes with its version, hash, origin and own requirements."""
    found = consult.candidates(order(user, "other"), str(cache))
    files = shared_index.url.replace("/simple/", "/files/")
    assert [(one.name, one.version, one.origin, one.direct) for one in found] == [
        ("demo", "1.0", f"{files}demo-1.0-py3-none-any.whl", False),
        ("other", "1.0", f"{files}other-1.0-py3-none-any.whl", False),
    ]
    assert [one.requires for one in found] == [(), ("demo<2",)]
    assert all(one.hash.startswith("sha256=") for one in found)
    assert list((cache / "v1" / "isolated").iterdir()) == []
    assert not (cache / "v1" / "envs").exists()


def test_the_policy_holds(user: User, shared_index: Index, index: Index, cache: Path) -> None:
    """What is only asked for is asked for under the policy, too: each name from the first index that has it."""
    index.add(indexes.wheel("demo", "0.5"))
    user.variables["PIP_EXTRA_INDEX_URL"] = index.url
    policy = Policy(indexes=(index.url, shared_index.url), places={"indexes": "c.toml:2"})
    plain = order(user, "demo")
    specified = spec.specify(plain.spec.interpreter, plain.asked, Options(), policy=policy)
    asked = plain._replace(spec=specified, policy=policy)
    assert [(one.name, one.version) for one in consult.candidates(asked, str(cache))] == [("demo", "0.5")]


@pytest.mark.slow
def test_what_cannot_be_resolved_is_told(user: User, cache: Path) -> None:
    """The error names the place of the requirement, and nothing is left."""
    with pytest.raises(InstallError) as caught:
        consult.candidates(order(user, "demo>99"), str(cache))
    assert caught.value.place == "s.py:3"
    assert list((cache / "v1" / "isolated").iterdir()) == []
