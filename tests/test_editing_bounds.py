"""Bounds: those that new requirements get, and how they are raised."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from scriptrun.editing import bounds


@pytest.mark.parametrize(
    ("kind", "version", "entry", "expected"),
    [
        ("lower", "1.2.3", "demo", "demo>=1.2.3"),
        ("major", "1.2.3", "demo", "demo>=1.2.3,<2"),
        ("minor", "1.2.3", "demo", "demo>=1.2.3,<1.3"),
        ("exact", "1.2.3", "demo", "demo==1.2.3"),
        ("none", "1.2.3", "demo", "demo"),
        ("minor", "5", "demo", "demo>=5,<5.1"),
        ("major", "1!2.0", "demo", "demo>=1!2.0,<1!3"),
        ("lower", "1.0+cpu", "demo", "demo>=1.0"),
        ("exact", "1.0+cpu", "demo", "demo==1.0+cpu"),
        ("lower", "2.0b1", "demo[x, y] ; os_name == 'posix'", "demo[x, y]>=2.0b1 ; os_name == 'posix'"),
    ],
)
def test_bound(kind: str, version: str, entry: str, expected: str) -> None:
    """The bound stands behind the name and its extras, allows the version, and leaves the rest as it was typed."""
    assert expected == bounds.bound(entry, version, kind)
    assert Requirement(expected).specifier.contains(version, prereleases=True)


@pytest.mark.parametrize(
    ("entry", "loose", "raised"),
    [
        ("demo", "demo", "demo"),
        ("demo>=1", "demo", "demo>=3.4.5"),
        ("Demo_x [y] >= 1 ; os_name == 'x<2'", None, "Demo_x [y] >= 3.4.5 ; os_name == 'x<2'"),
        ("demo>=1.2,<2", "demo", "demo>=3.4.5,<4"),
        ("demo<1.3,>=1.2.1", "demo", "demo<3.5,>=3.4.5"),
        ("demo>=1,<9,!=2", "demo!=2,<9", "demo>=3.4.5,<9,!=2"),
        ("demo==1.0", "demo", "demo==3.4.5"),
        ("demo==1.*", "demo", "demo==3.*"),
        ("demo~=1.2", "demo", "demo~=3.4"),
        ("demo~=1.2.3", "demo", "demo~=3.4.5"),
        ("demo<2", "demo<2", "demo<2"),
        ("demo>1", "demo>1", "demo>1"),
        ("demo===1.0", "demo===1.0", "demo===1.0"),
    ],
)
def test_raise(entry: str, loose: str | None, raised: str) -> None:
    """Each bound stays of its kind and as it is written; limits of other kinds, and what is excluded, stay."""
    assert raised == bounds.raise_to(entry, "3.4.5")
    if loose is not None:
        assert loose == bounds.loosen(entry)


def test_less_than_is_asked_for() -> None:
    """A version below the bound is told from one that is not."""
    assert [bounds.allows(one, "2.0") for one in ("demo>=2", "demo~=2.0", "demo==2.*", "demo", "demo<1")] == [True] * 5
    assert [bounds.allows(one, "2.0") for one in ("demo>=2.1", "demo~=2.1", "demo==3.*", "demo==3")] == [False] * 4


def test_bare() -> None:
    """Only what has neither version nor URL leaves the version open."""
    assert [bounds.is_bare(one) for one in ("demo", "demo[x]; os_name == 'x'")] == [True, True]
    assert [bounds.is_bare(one) for one in ("demo>1", "demo @ https://localhost/x.whl")] == [False, False]
