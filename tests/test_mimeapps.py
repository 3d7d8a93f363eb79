"""The text of a `mimeapps.list`: what is changed, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrun.desktop.freedesktop import mimeapps
from scriptrun.desktop.freedesktop.mimeapps import ADDED, DEFAULT, Association

OURS = Association(DEFAULT, "a/b", "x.desktop")

LINES = st.sampled_from(
    [
        "[Default Applications]",
        "[Added Associations]",
        "[Other]",
        "",
        "# a/b=comment.desktop",
        "a/b=one.desktop",
        "a/b = one.desktop;two.desktop;",
        "a/b=one.desktop;two.desktop",
        "c/d=three.desktop;",
        "no equals sign",
        "caf\udce9/x=\udcff.desktop",
    ]
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[Default Applications]\na/b=x.desktop;\n"),
        ("[Other]\nk=v", "[Other]\nk=v\n\n[Default Applications]\na/b=x.desktop;\n"),
        ("[Default Applications]\n", "[Default Applications]\na/b=x.desktop;\n"),
        (
            "[Default Applications]\nc/d=y.desktop\n\n[Other]\n",
            "[Default Applications]\nc/d=y.desktop\na/b=x.desktop;\n\n[Other]\n",
        ),
        ("[Default Applications]\na/b=y.desktop\n", "[Default Applications]\na/b=x.desktop;y.desktop\n"),
        ("[Default Applications]\r\na/b = y.desktop;\r\n", "[Default Applications]\r\na/b =x.desktop;y.desktop;\r\n"),
        ("[Default Applications]\na/b=y.desktop;x.desktop\n", "[Default Applications]\na/b=x.desktop;y.desktop\n"),
    ],
)
def test_an_application_is_put_first(before: str, after: str) -> None:
    """It comes before the others of its type, in its section, which is made where it is not there."""
    assert mimeapps.put(before.encode(), OURS, first=True).decode() == after


def test_an_application_is_put_last() -> None:
    """What was the first choice remains it."""
    added = OURS._replace(section=ADDED)
    assert mimeapps.put(b"[Added Associations]\na/b=y.desktop;\n", added, first=False) == (
        b"[Added Associations]\na/b=y.desktop;x.desktop;\n"
    )


@given(st.lists(LINES), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_is_put_can_be_read_and_no_other_line_changes(lines: list[str], first: bool, end: str) -> None:  # noqa: FBT001 - hypothesis gives it
    """Whatever the file holds: the application is where it belongs, and all other types have theirs."""
    before = end.join(lines).encode("utf-8", "surrogateescape")
    after = mimeapps.put(before, OURS, first=first)
    expected = mimeapps.read(before)
    others = expected.setdefault(DEFAULT, {}).get("a/b", [])
    expected[DEFAULT]["a/b"] = ["x.desktop", *others] if first else [*others, "x.desktop"]
    assert mimeapps.read(after) == expected


@given(st.lists(LINES), st.booleans())
def test_what_was_put_can_be_taken(lines: list[str], first: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """Afterwards each type has what it had; a file that had the section and the type has each byte that it had."""
    before = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    after = mimeapps.take(mimeapps.put(before, OURS, first=first), OURS)
    assert {key: value for key, value in mimeapps.read(after).items() if value} == mimeapps.read(before)


def test_a_section_that_was_made_goes_again() -> None:
    """What is empty after the last application was taken is not left there."""
    assert mimeapps.take(mimeapps.put(b"", OURS, first=True), OURS) == b""


def test_nothing_is_taken_where_nothing_is() -> None:
    """A file without the application keeps each byte."""
    content = b"[Default Applications]\na/b=y.desktop;\n"
    assert mimeapps.take(content, OURS) == content
