"""What is put together without an answer of pip's to just this question: from a lock, or for a newer patch version."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import index as indexes
from support import varied
from support.index import Index
from support.user import User

from scriptrun import interpreters, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.metadata import Asked
from scriptrun.order import Order
from scriptrun.pinning.pins import Pin
from scriptrun.policy import Policy
from scriptrun.store import locked
from scriptrun.store.kept import Kept

pytestmark = pytest.mark.slow


SOURCE = varied.sources()["built"]
"""Made once: each time it has another hash."""


def order(user: User, *requirements: str) -> Order:
    """Return the order for an environment with these requirements, of the Python that runs the tests."""
    interpreter = interpreters.identify(sys.executable, str(user.directory), user.variables)
    assert interpreter is not None
    asked = tuple(Asked(Requirement(one), f"s.py:{line}") for line, one in enumerate(requirements, 3))
    return Order(spec.specify(interpreter, asked, Options()), asked, Options(), user.variables, lambda _line: None)


def later(one: Order) -> Order:
    """Return the same order after an update of the interpreter."""
    short = ".".join(one.spec.interpreter.version.split(".")[:2])
    return one._replace(spec=one.spec._replace(interpreter=one.spec.interpreter._replace(version=f"{short}.99")))


def pins(one: Order, *locked: Pin) -> Order:
    """Return the order with a lock."""
    return one._replace(pins=locked, spec=one.spec._replace(lock="0" * 32))


def pin(name: str, *files: tuple[str, bytes]) -> Pin:
    """Return what a lock says of a project with these files."""
    hashes = tuple(sorted(f"sha256:{hashlib.sha256(content).hexdigest()}" for _, content in files))
    return Pin(name, "1.0", f"{name}==1.0", hashes)


@pytest.fixture
def make(user: User, index: Index) -> Callable[[Order], tuple[Environment, bool]]:
    """Return a function that makes an environment, and tells whether the index was asked for it."""
    user.variables["PIP_INDEX_URL"] = index.url

    def made(wanted: Order) -> tuple[Environment, bool]:
        asked = len(index.requests)
        user.cache.mkdir(parents=True, exist_ok=True)
        return prepare.prepare(str(user.cache), wanted), len(index.requests) > asked

    return made


Make = Callable[[Order], tuple[Environment, bool]]

WHEELS = {
    "plain": indexes.wheel("plain", "1.0", requires=["needed"]),
    "needed": indexes.wheel("needed", "1.0"),
    "until": indexes.wheel("until", "1.0", requires_python=f"<{sys.version_info.major}.{sys.version_info.minor}.50"),
    "marked": indexes.wheel(
        "marked", "1.0", requires=[f"needed; python_full_version < '3.{sys.version_info.minor}.50'"]
    ),
    "extra": indexes.wheel(
        "extra",
        "1.0",
        requires=[f"needed; extra == 'more' and python_full_version < '3.{sys.version_info.minor}.50'"],
        extras=["more"],
    ),
}


def test_newer_patch_version_of_the_interpreter(user: User, index: Index, make: Make) -> None:
    """The same question after an update of Python needs no pip where every marker and Requires-Python says the same."""
    index.add(*WHEELS.values(), SOURCE)
    before, asked = make(order(user, "plain"))
    assert asked
    after, asked = make(later(order(user, "plain")))
    assert (asked, after.distributions) == (False, before.distributions)
    assert after.path != before.path
    assert make(later(order(user, "plain")))[1] is False
    for name in ("until", "marked", "extra", "built"):
        assert make(order(user, name))[1]
        assert make(later(order(user, name)))[1], name


def test_another_policy_is_another_question(user: User, index: Index, make: Make) -> None:
    """What pip answered under other settings is asked anew, also for a newer patch version."""
    index.add(*WHEELS.values())
    assert make(order(user, "plain"))[1]
    user.variables["PIP_ONLY_BINARY"] = ":all:"
    assert make(later(order(user, "plain")))[1]


def test_lock_is_put_together(user: User, index: Index, make: Make) -> None:
    """What is locked with hashes is taken from the store, whichever of them it is; what was built here too."""
    index.add(*WHEELS.values(), SOURCE)
    assert make(order(user, "plain", "built"))[1]
    foreign = varied.wheel("plain", "1.0", {"plain.py": b""}, tag="cp27-cp27m-win32")
    wanted = pins(
        order(user, "plain", "built"),
        pin("built", SOURCE),
        pin("needed", WHEELS["needed"]),
        pin("plain", foreign, WHEELS["plain"]),
    )
    environment, asked = make(wanted)
    assert not asked
    assert [(one["name"], one["version"]) for one in environment.distributions] == [
        ("built", "1.0"),
        ("needed", "1.0"),
        ("plain", "1.0"),
    ]
    site = next(Path(environment.path).glob("lib/*/site-packages"))
    assert sorted(path.parent.name.partition("-")[0] for path in site.glob("*.dist-info/REQUESTED")) == [
        "built",
        "needed",
        "plain",
    ]
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")


def test_lock_that_pip_has_to_see_to(user: User, index: Index, make: Make) -> None:
    """One without hashes, with another file, for another Python, or under rules about files is pip's."""
    index.add(*WHEELS.values(), SOURCE)
    assert make(order(user, "plain", "built", "until"))[1]
    cache = str(user.cache)
    good = pins(order(user, "needed"), pin("needed", WHEELS["needed"]))
    assert locked.find(cache, good) is not None
    assert locked.find(cache, good._replace(pins=None)) is None
    doubtful = [
        good._replace(pins=(Pin("needed", "1.0", "needed==1.0"),)),
        good._replace(pins=(pin("needed", indexes.wheel("needed", "1.0", requires=["plain"])),)),
        good._replace(pins=(replace(pin("needed", WHEELS["needed"]), version="1.1", requirement="needed==1.1"),)),
        good._replace(pins=(replace(pin("needed", WHEELS["needed"]), requirement="needed @ http://x/needed.whl"),)),
        good._replace(unpinned=good.asked),
        good._replace(policy=Policy(cooldown=1.0)),
        good._replace(policy=Policy(indexes=("http://x",))),
        good._replace(policy=Policy(only_binary=True)),
        good._replace(spec=good.spec._replace(resolution=good.spec.resolution._replace(exclude_newer="2020-01-01"))),
        good._replace(environ={**good.environ, "PIP_NO_BINARY": "needed"}),
        later(pins(order(user, "built"), pin("built", SOURCE))),
        later(pins(order(user, "until"), pin("until", WHEELS["until"]))),
    ]
    assert [number for number, one in enumerate(doubtful) if locked.find(cache, one) is not None] == []


def test_files_that_an_interpreter_can_use(user: User) -> None:
    """Of several wheels it is pip's first; none of another Python, ABI or platform; sources come last."""
    interpreter = order(user).spec.interpreter
    short = f"{sys.version_info.major}{sys.version_info.minor}"
    usable = [f"cp{short}-cp{short}-linux_x86_64", f"cp{short}-abi3-linux_x86_64", f"cp{short}-none-any"]
    usable += [f"py{short}-none-any", "py3-none-any"]
    foreign = ["cp27-cp27m-linux_x86_64", "cp399-cp399-linux_x86_64", f"cp{short}-cp{short}-win_amd64"]
    foreign += [f"cp{short}-cp{short}-musllinux_1_2_x86_64", f"cp{short}-cp{short}d-linux_x86_64", "py2-none-any"]

    def rank(name: str) -> int | None:
        return locked.rank(Kept("", {"origin": f"https://host/x/{name}"}), interpreter)

    ranks = [rank(f"demo-1.0-{tag}.whl") for tag in usable] + [rank("demo-1.0.tar.gz")]
    assert None not in ranks
    assert sorted(ranks, key=lambda one: one or 0) == ranks
    assert [tag for tag in foreign if rank(f"demo-1.0-{tag}.whl") is not None] == []
    assert rank("demo-1.0.whl") is None
