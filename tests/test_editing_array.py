"""One entry of an array changed: the layout of the others, and every comment about them, stay."""

from __future__ import annotations

import re

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptrun.editing import array

LINES = '[\n  "a",  # first\n  # about b\n  "b"  # last\n]'
EVEN = '[\n    "a",\n    "b",\n]'
LEADING = "[\n    'a' # first\n  , 'b'\n  , 'c' # last\n]"
PAIRS = '[\n "a", "b",  # two\n "c", "d", # two more\n]'


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("[]", 0, '[\n  "x",\n]'),
        ("[ ]", 0, '[\n  "x",\n]'),
        ("[\n]", 0, '[\n  "x",\n]'),
        ("[\n  # none yet \n]", 0, '[\n  # none yet \n  "x",\n]'),
        ("['a']", 1, "['a', \"x\"]"),
        ("['a']", 0, "[\"x\", 'a']"),
        ("[ 'a' , 'b', ]", 1, "[ 'a', \"x\" , 'b', ]"),
        (EVEN, 0, '[\n    "x",\n    "a",\n    "b",\n]'),
        (EVEN, 1, '[\n    "a",\n    "x",\n    "b",\n]'),
        (EVEN, 2, '[\n    "a",\n    "b",\n    "x",\n]'),
        (LINES, 0, LINES.replace("[\n", '[\n  "x",\n')),
        (LINES, 1, LINES.replace("first\n", 'first\n  "x",\n')),
        (LINES, 2, LINES.replace('"b"  # last', '"b",  # last\n  "x"')),
        (LEADING, 1, LEADING.replace("first\n", 'first\n  , "x"\n')),
        (LEADING, 3, LEADING.replace("last\n", 'last\n  , "x"\n')),
        (PAIRS, 2, PAIRS.replace('"b",', '"b", "x",')),
        (PAIRS, 4, PAIRS.replace('"d",', '"d", "x",')),
        ("['a',\n 'b']", 2, "['a',\n 'b', \"x\"]"),
    ],
)
def test_insert(before: str, index: int, after: str) -> None:
    """A new entry is laid out like the one before it; comments stay with the entries that they are about."""
    assert after == array.insert(before, index, '"x"')


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("[ 'a' ]", 0, "[]"),
        ("[\n  'a',\n]", 0, "[]"),
        ("[\n  # kept\n  'a', # gone\n]", 0, "[\n  # kept\n]"),
        ("['a', 'b', 'c']", 0, "['b', 'c']"),
        ("['a', 'b', 'c']", 1, "['a', 'c']"),
        ("['a', 'b', 'c']", 2, "['a', 'b']"),
        ("['a', 'b',]", 1, "['a',]"),
        (EVEN, 0, '[\n    "b",\n]'),
        (EVEN, 1, '[\n    "a",\n]'),
        (LINES, 0, '[\n  # about b\n  "b"  # last\n]'),
        (LINES, 1, '[\n  "a",  # first\n  # about b\n]'),
        (LEADING, 0, "[\n  'b'\n  , 'c' # last\n]"),
        (LEADING, 1, LEADING.replace("  , 'b'\n", "")),
        (LEADING, 2, LEADING.replace("  , 'c' # last\n", "")),
        (PAIRS, 0, PAIRS.replace('"a", ', "")),
        (PAIRS, 1, PAIRS.replace(' "b",', "")),
        ("['a',\n 'b']", 1, "['a']"),
        ("['a' # kept\n, 'b']", 0, "[ # kept\n 'b']"),
        ("['a', # first\n 'b']", 1, "['a' # first\n ]"),
    ],
)
def test_remove(before: str, index: int, after: str) -> None:
    """With an entry goes the rest of its own line, and nothing else."""
    assert after == array.remove(before, index)


def test_replace() -> None:
    """Only the string is another."""
    assert array.replace(LEADING, 1, '"x"') == LEADING.replace("'b'", '"x"')


BLANKS = st.sampled_from(["", " ", "\n", "\n  ", " # 'c', \n", '\n  # "c"\n ', "\t"])
STRINGS = st.sampled_from(['"a"', "'b'", '"c # \\" ,"', "'d , [x]'", '"""e"""', "'''f\n,'g' '''", '"é"'])


@st.composite
def arrays(draw: st.DrawFn) -> str:
    """Draw any array of strings, with blanks, line ends and comments wherever they may be."""
    strings = draw(st.lists(STRINGS, max_size=5))
    parts = [draw(BLANKS) + string + draw(BLANKS) for string in strings]
    last = draw(st.sampled_from(["", ","] if strings else [""])) + draw(BLANKS)
    return f"[{','.join(parts)}{last}]"


def parsed(text: str) -> list[str]:
    """Return the entries as a parser reads them."""
    entries: list[str] = tomli.loads(f"x = {text}")["x"]
    return entries


def comments(text: str) -> list[str]:
    """Return the comments of an array, which all hold one of two texts."""
    without = re.sub(r'"""e"""|\'\'\'f\n,\'g\' \'\'\'|"c # \\" ,"', "", text)
    return re.findall(r"# 'c', |# \"c\"", without)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(text=arrays(), data=st.data())
def test_any_layout(text: str, data: st.DataObject) -> None:
    """Whatever an array looks like: the parser reads what was asked for, and no comment of others is lost."""
    old = parsed(text)
    index = data.draw(st.integers(0, len(old)))
    inserted = array.insert(text, index, '"new"')
    assert parsed(inserted) == [*old[:index], "new", *old[index:]]
    assert comments(inserted) == comments(text)
    assert array.insert(text, index, "'new'").replace("'new'", '"new"') == inserted
    if index == len(old):
        return
    replaced = array.replace(text, index, '"new"')
    assert parsed(replaced) == [*old[:index], "new", *old[index + 1 :]]
    assert comments(replaced) == comments(text)
    removed = array.remove(text, index)
    assert parsed(removed) == [*old[:index], *old[index + 1 :]]
    assert len(comments(text)) - len(comments(removed)) in (0, 1)
