"""Cutting the block out of a file: the specification's expression is the oracle, and no file takes long."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.user import User

from scriptrun import block
from scriptrun.errors import MetadataError

REFERENCE = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)*)^# ///$")
"""The specification's, but that an empty block is a block."""

NEAR_BLOCKS = (
    *("# /// script", "# ///") * 4,
    *("# /// other", "# /// script-2", "# /// SCRIPT", "# /// scripts", "# /// ", "# /// a b", "# /// é"),
    *("#", "# ", "# x = 1", "# # x", "#  indented", "# \tx", "#\x0cx", "# ☃ \x00", "# /// script # ///"),
    *("", " ", "x = 1", "#x", "#\t", "##", " # ///", " # /// script", "x # /// script", "#/// script", "#///"),
    *("# ///\u2028# ///", "# /// script\x85", "# ///\x0c", "# \x0b# ///", "\u2029", "# ///\x1c"),
    *("# /// script ", "# ///  script", "# /// ", "# //// script", "#  ///", "# ////", "# /// /// script"),
)
LINES = st.lists(st.tuples(st.sampled_from(NEAR_BLOCKS), st.sampled_from(("\n", "\n", "\r\n", "\r"))), max_size=20)


@settings(max_examples=2000, deadline=None)
@given(lines=LINES, ended=st.booleans(), marked=st.booleans())
def test_finds_what_the_reference_finds(*, lines: list[tuple[str, str]], ended: bool, marked: bool) -> None:
    """Number, lines and content of the `script` blocks are those that the reference expression finds."""
    text = "".join(line + end for line, end in lines)
    text = text if ended else text.rstrip("\r\n")
    source = (b"\xef\xbb\xbf" if marked else b"") + text.encode()
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = [
        (normal.count("\n", 0, match.start()) + 1, normal.count("\n", 0, match.end()) + 1, match["content"])
        for match in REFERENCE.finditer(normal)
        if match["type"] == "script"
    ]
    if len(expected) > 1:
        with pytest.raises(MetadataError) as caught:
            block.cut(source, "s.py")
        first, second = expected[0][0], expected[1][0]
        assert block.two_blocks("s.py", first, second).render() == caught.value.render()
        return
    found, misses = block.cut(source, "s.py")
    assert expected == ([(found.first, found.last, found.raw.decode())] if found else [])
    assert not (found and misses)
    assert all(1 <= miss.line <= normal.count("\n") + 1 and miss.message and miss.remedy for miss in misses)


class Counted(bytes):
    """Bytes that count how many of them are looked at, by searches and by slices."""

    touched = 0

    def find(self, wanted: Any, start: Any = 0, end: Any = None) -> int:
        """Count as far as was searched."""
        found = super().find(wanted, start, end)
        self.touched += (found if found >= 0 else len(self) if end is None else end) - start
        return found

    def rfind(self, wanted: Any, start: Any = 0, end: Any = None) -> int:
        """Count as far back as was searched."""
        found = super().rfind(wanted, start, end)
        self.touched += (len(self) if end is None else end) - max(found, start)
        return found

    def count(self, wanted: Any, start: Any = 0, end: Any = None) -> int:
        """Count the range."""
        self.touched += (len(self) if end is None else end) - start
        return super().count(wanted, start, end)

    def __getitem__(self, key: Any) -> Any:
        """Count the slice."""
        found = super().__getitem__(key)
        self.touched += 1 if isinstance(found, int) else len(found)
        return found


def steps(source: bytes) -> tuple[int, int]:
    """Return how many bytes are looked at and how many lines of Python are executed to cut `source`."""
    counted = Counted(source)
    executed = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal executed
        if frame.f_code.co_filename != block.__file__:
            return None
        executed += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        block.cut(counted, "s.py")
    except MetadataError:
        pass
    finally:
        sys.settrace(before)
    return counted.touched, executed


@pytest.mark.slow
@pytest.mark.parametrize(
    "repeated",
    [
        "# /// a\n",
        "# /// script\n",
        "# /// script \n",
        "#/// script\n",
        "# /// script\nx\n",
        "# /// script\n# x\n#\n",
        "# /// a\n# x\n# ///\n\n",
        "# /// a\n# /// script\n# ///\n\n",
        "# /// a\n\n# /// script\n",
        "# ///\n",
        "#\n",
        "/// # /// ",
        "x = 1 # ///\n",
        "# coding\n",
        "coding=///",
        "# /// script\n# ///\n\n",
    ],
    ids=repr,
)
@pytest.mark.parametrize("frame", ["{}", "# /// a\n{}# ///\n", "# /// script\n{}", "# {}# ///"], ids=repr)
def test_takes_linear_time(repeated: str, frame: str) -> None:
    """Twice the lines take at most about twice the work, however near to a block each of them is."""
    small, large = (steps(frame.format(repeated * (size // len(repeated))).encode()) for size in (16 * 1024, 32 * 1024))
    for before, after in zip(small, large, strict=True):
        assert after <= 2.2 * before + 2000
    assert large[0] <= 40 * 32 * 1024


def test_reads_a_large_script_without_walking_it() -> None:
    """The lines below the block cost no step of Python: 10 MB take as many as 10 kB."""
    head = b"#!/usr/bin/env scriptrun\n# /// script\n# dependencies = []\n# ///\n"
    found, misses = block.cut(head + b"print('a line of the program') # and more\n" * 250_000, "s.py")
    assert found is not None
    assert (found.first, found.last, misses) == (2, 4, [])
    small, large = (steps(head + b"print('a line of the program') # and more\n" * lines) for lines in (250, 250_000))
    assert small[1] == large[1]
    assert large[0] <= 4 * 250_000 * 42


EDITS = st.text("abc", max_size=5)


@given(EDITS, EDITS)
def test_one_edit_apart(left: str, right: str) -> None:
    """One edit is one character inserted, deleted, replaced, or swapped with the next."""
    edited = {left}
    for at in range(len(left) + 1):
        head, tail = left[:at], left[at:]
        edited |= {head + letter + tail for letter in "abc"} | {head + letter + tail[1:] for letter in "abc"}
        edited |= {head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]}
    assert (right in edited) == block.one_edit_apart(left, right)


NEAR_MISSES = (
    "# /// script\n# dependencies = []\n",
    "# /// script \n# dependencies = []\n# ///\n",
    "# /// script\n# dependencies = []\n# /// \n",
    "#/// script\n# dependencies = []\n# ///\n",
    "#  /// script\n# dependencies = []\n# ///\n",
    " # /// script\n# dependencies = []\n# ///\n",
    "# /// script\n#dependencies = []\n# ///\n",
    "# /// SCRIPT\n# dependencies = []\n# ///\n",
    "# /// scripts\n# dependencies = []\n# ///\n",
    "# /// other\n# x\n# /// script\n# dependencies = []\n# ///\n",
)


@pytest.mark.slow
def test_near_miss_is_told_on_every_run_and_never_recorded(user: User) -> None:
    """A near miss runs as a file without a block, with one warning each time and no launch record, until mended."""
    for miss in NEAR_MISSES:
        script = user.write("s.py", f"{miss}\nprint('ran')\n")
        line = next(number for number, text in enumerate(miss.split("\n"), 1) if "script" in text.lower())
        for _ in range(2):
            status, out, err = user.run("scriptrun", script)
            assert (status, out) == (0, "ran\n"), err
            assert err.startswith(f"scriptrun: warning: {script}:{line}: ")
            assert err.count("\n") == 1
            assert user.records() == []
    assert user.run("scriptrun", "--quiet", script) == (0, "ran\n", "")
    user.write("s.py", "# /// script\n# dependencies = []\n# ///\nprint('mended')\n")
    assert user.run("scriptrun", script) == (0, "mended\n", "")
    assert len(user.records()) == 1


def test_near_miss_beside_a_block_is_not_told(user: User) -> None:
    """Where there is a valid block, what looks like another one is left alone."""
    script = user.write("s.py", "#/// script\n\n# /// script\n# ///\nprint('ran')\n# /// SCRIPT\n")
    assert user.run("scriptrun", script) == (0, "ran\n", "")
    assert len(user.records()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "cp1252", "shift_jis"])
def test_encoding_line_is_honoured_in_any_locale(user: User, encoding: str) -> None:
    """A script runs in the encoding that it declares, block included, whatever the locale says."""
    text = "表" if encoding == "shift_jis" else "é"
    script = user.write(
        "s.py",
        f"# -*- coding: {encoding} -*-\n# /// script\n# dependencies = [] # {text}\n# ///\n"
        f"print(ascii('{text}'))\n".encode(encoding),
    )
    for locale in ("C", "POSIX", "en_US.ISO-8859-1", "C.UTF-8"):
        variables: dict[str, Any] = {
            "LC_ALL": locale,
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
            "PYTHONIOENCODING": "ascii",
        }
        script.write_bytes(script.read_bytes() + b"# \n")  # so that the block is read, not proven
        assert (0, f"{text!a}\n", "") == user.run("scriptrun", script, **variables)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bom", "crlf", "lone-cr", "no-newline"])
def test_bytes_that_python_reads_are_read(user: User, name: str) -> None:
    """A file with a byte order mark, with other line ends, or without the last one, runs as its block says."""
    text = "# /// script\n# requires-python = '>=3.8'\n# [tool.scriptrun]\n# unheard-of = 1\n# ///\nprint('ran')\n"
    content = {
        "bom": b"\xef\xbb\xbf" + text.encode(),
        "crlf": text.replace("\n", "\r\n").encode(),
        "lone-cr": text.replace("\n", "\r").encode(),
        "no-newline": f"print('ran')\n{text.removesuffix(chr(10) + 'print(' + repr('ran') + ')' + chr(10))}".encode(),
    }[name]
    script = user.write("s.py", content)
    line = 5 if name == "no-newline" else 4
    warning = f"scriptrun: warning: {script}:{line}: `[tool.scriptrun]` has no key `unheard-of`; it is ignored\n"
    assert (0, "ran\n", warning) == user.run("scriptrun", script)


def test_search_for_the_end_of_a_block_is_bounded() -> None:
    """What can be no block, as it is too long for one, is not walked to the end of the file to say so."""
    found, misses = block.cut(b"# /// script\n" + b"# more\n" * (2 * block.MAX_BLOCK), "s.py")
    assert found is None
    assert [miss.line for miss in misses] == [1]
    lines = -(-block.MAX_BLOCK // len(b"# more\n"))
    assert misses[0].message == f"the block that opens here is not closed: none of the next {lines} lines does it"
