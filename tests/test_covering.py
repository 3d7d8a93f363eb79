"""Whether pip's answers to other questions cover a new one: what is known is made up, pip is not asked."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from scriptrun.answers import covering
from scriptrun.answers.covering import Doubt, Known
from scriptrun.answers.projects import Project
from scriptrun.order import Described, Distribution

FACTS = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux", "os_name": "posix"}
NOW = 1000.0

VERSIONS = {
    "demo": ("3.0a1", "2.0", "!1.5", "1.0"),
    "other": ("1.0",),
    "more": ("2.0", "1.0"),
    "wide": ("1.0",),
    "loop": ("1.0",),
    "back": ("1.0",),
    "young": ("1.0",),
    "old": ("1.0",),
    "early": ("2.0a1",),
    "placed": ("1.0",),
    "lost": ("1.0",),
    "third": ("1.0",),
    "stale": ("1.0",),
}
"""What is known of each project: its versions, newest first, after `!` those that were yanked."""

METADATA = {
    "demo 2.0": Described(
        extras=("x", "Y_z", "v", "w"),
        requires=(
            'more ; extra == "x"',
            'wide ; extra == "y-z"',
            'more ; extra == "v" or extra == "w"',
            'old ; os_name == "posix" and extra == "w"',
            'never ; os_name == "nt" and extra == "w"',
        ),
    ),
    "demo 1.0": Described(),
    "demo 1.5": Described(),
    "more 2.0": Described(),
    "more 1.0": Described(),
    "other 1.0": Described(requires=("demo<2", 'never; sys_platform == "win32"')),
    "wide 1.0": Described(requires=("demo[x]>=1",)),
    "loop 1.0": Described(requires=("back",)),
    "back 1.0": Described(requires=("loop[self]",), extras=()),
    "young 1.0": Described(requires_python=">=3.12"),
    "old 1.0": Described(requires_python=">=3.8"),
    "placed 1.0": Described(requires=("demo @ https://host/demo.whl",)),
    "third 1.0": Described(requires=("not a requirement!",)),
    "stale 1.0": Described(),
}
"""What is kept, by name and version."""


def distribution(name: str, version: str) -> Distribution:
    """Return what pip took for a version."""
    return Distribution(name, version, "sha256=0", f"https://host/{name}.whl", kept=f"{name}-{version}-0")


def project(name: str) -> Project | None:
    """Return what is known of a project: all versions were taken before but `more` 2.0 and what is yanked."""
    if name not in VERSIONS:
        return None
    chosen = {
        one.lstrip("!"): distribution(name, one.lstrip("!")) for one in VERSIONS[name] if name != "more" or one != "1.0"
    }
    return Project(name, NOW - 100 if name == "stale" else NOW, VERSIONS[name], chosen)


def cover(*asked: str, constraints: tuple[str, ...] = ()) -> list[str]:
    """Return what covers the requirements, each as name and version, `*` after what was asked for itself."""
    known = Known(project, lambda one: METADATA.get(f"{one.name} {one.version}"), NOW - 10)
    found = covering.cover(map(Requirement, asked), map(Requirement, constraints), FACTS, known)
    return [f"{one.name} {one.version}{'*' * one.requested}" for one in found]


@pytest.mark.parametrize(
    ("asked", "constraints", "expected"),
    [
        (["demo"], (), ["demo 2.0*"]),
        (["Demo", "demo>=1"], (), ["demo 2.0*"]),
        (["demo<2"], (), ["demo 1.0*"]),
        (["demo>1.0,<=1.9,!=1.5"], (), None),
        (["demo"], ("demo<2", "unheard<1"), ["demo 1.0*"]),
        (["demo"], ('demo<2; sys_platform == "win32"',), ["demo 2.0*"]),
        (["demo[x]"], (), ["demo 2.0*", "more 2.0"]),
        (["demo[x,y.Z]"], (), ["demo 2.0*", "more 2.0", "wide 1.0"]),
        (["demo[v]"], (), ["demo 2.0*", "more 2.0"]),
        (["demo[W]"], (), ["demo 2.0*", "more 2.0", "old 1.0"]),
        (["other"], (), ["demo 1.0", "other 1.0*"]),
        (["other", "demo<2"], (), ["demo 1.0*", "other 1.0*"]),
        (["wide"], (), ["demo 2.0", "more 2.0", "wide 1.0*"]),
        (["old"], (), ["old 1.0*"]),
        (['unheard; python_version < "3"', 'demo; extra == ""'], (), ["demo 2.0*"]),
    ],
)
def test_what_is_covered(asked: list[str], constraints: tuple[str, ...], expected: list[str] | None) -> None:
    """The newest final version that all allow is taken, with what it requires, extras and markers respected."""
    if expected is None:
        with pytest.raises(Doubt):
            cover(*asked, constraints=constraints)
    else:
        assert cover(*asked, constraints=constraints) == expected


@pytest.mark.parametrize(
    ("asked", "constraints", "reason"),
    [
        (["unheard"], (), "pip never looked at `unheard`"),
        (["stale"], (), "pip's last look at `stale` was too long ago"),
        (["more<2"], (), "pip never installed `more` 1.0"),
        (["lost"], (), "`lost` 1.0 is not kept any more"),
        (["demo>2.0"], (), "no version of `demo` is known that `>2.0` allows"),
        (["early"], (), "no version of `early` is known that `` allows"),
        (["demo==1.5"], (), "no version of `demo` is known that `==1.5` allows"),
        (["demo>=3.0a1"], (), "`demo>=3.0a1` allows more than final versions"),
        (["demo"], ("demo>=1.dev1",), "`demo>=1.dev1` allows more than final versions"),
        (["demo===1.0"], (), "`demo===1.0` allows more than final versions"),
        (["other", "demo"], (), "`demo<2` leaves `demo` 1.0, and others leave 2.0"),
        (["other", "wide"], (), "`demo[x]>=1` leaves `demo` 2.0, and others leave 1.0"),
        (["demo[z]"], (), "`demo` 2.0 has no extra `z`"),
        (["loop"], (), "`loop` 1.0 has no extra `self`"),
        (["young"], (), "`young` 1.0 does not run on Python 3.11.7"),
        (["demo @ https://host/demo.whl"], (), "`demo` is to come from a place of its own"),
        (["placed"], (), "`demo` is to come from a place of its own"),
        (["demo"], ("demo @ https://host/demo.whl",), "the constraint `demo @ https://host/demo.whl` is more than"),
        (["demo"], ("demo[x]<3",), "the constraint `demo[x]<3` is more than a range of versions"),
        (["third"], (), "something in the metadata is not valid: "),
        (['demo; implementation_version < "4"'], (), "implementation"),
    ],
)
def test_doubt(asked: list[str], constraints: tuple[str, ...], reason: str) -> None:
    """Whatever pip might see otherwise is a doubt, which says why."""
    with pytest.raises(Doubt) as caught:
        cover(*asked, constraints=constraints)
    assert reason in str(caught.value)
