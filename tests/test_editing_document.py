"""A script's bytes into new bytes, and these into its file: what was not asked for stays byte for byte."""

from __future__ import annotations

import codecs
import itertools
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptrun.editing import document
from scriptrun.errors import EditError, ScriptMissing, ScriptUnreadable

EMPTY = b"# /// script\n# dependencies = []\n# ///\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", EMPTY),
        (b'print("Hello, world!")', EMPTY + b'\nprint("Hello, world!")'),
        (b"\n\nx = 1\n", EMPTY + b"\n\nx = 1\n"),
        (b'"""Docs."""\nfrom __future__ import x\n', EMPTY + b'\n"""Docs."""\nfrom __future__ import x\n'),
        (b"#!/usr/bin/env python3\nimport os\n", b"#!/usr/bin/env python3\n" + EMPTY + b"\nimport os\n"),
        (b"#!/usr/bin/env python3", b"#!/usr/bin/env python3\n" + EMPTY),
        (b"#!/bin/x\n# coding: latin-1\n'\xe9'\n", b"#!/bin/x\n# coding: latin-1\n" + EMPTY + b"\n'\xe9'\n"),
        (b"\n# coding: latin-1\n'\xe9'\n", b"\n# coding: latin-1\n" + EMPTY + b"\n'\xe9'\n"),
        (b"# coding: latin-1\n\n'\xe9'\n", b"# coding: latin-1\n" + EMPTY + b"\n'\xe9'\n"),
        (b"x = 1\n# coding: latin-1\n", EMPTY + b"\nx = 1\n# coding: latin-1\n"),
        (b"# A comment.\n# ///\n", EMPTY + b"\n# A comment.\n# ///\n"),
        (codecs.BOM_UTF8 + b"x\r\n", codecs.BOM_UTF8 + EMPTY.replace(b"\n", b"\r\n") + b"\r\nx\r\n"),
        (b"#!/bin/x\rx\r", b"#!/bin/x\r" + EMPTY.replace(b"\n", b"\r") + b"\rx\r"),
    ],
)
def test_new_block(before: bytes, after: bytes) -> None:
    """It stands after shebang, encoding and byte order mark, and before all else, which stays as it is."""
    assert after == document.with_block(before, "dependencies = []\n", "s.py")


def test_empty_lines_and_empty_blocks() -> None:
    """An empty line of the text is a bare `#`, and an empty text nothing between the two tags."""
    assert document.with_block(b"", "a = 1\n\nb = 2\n", "s.py") == b"# /// script\n# a = 1\n#\n# b = 2\n# ///\n"
    assert document.with_block(b"", "", "s.py") == b"# /// script\n# ///\n"
    assert document.with_block(EMPTY, "", "s.py") == b"# /// script\n# ///\n"
    assert document.with_block(b"# /// script\n# ///", "a = 1\n", "s.py") == b"# /// script\n# a = 1\n# ///"


def test_whole_block_is_replaced() -> None:
    """Of the old text nothing is left, and the shebang stays first."""
    old = b"#!/bin/x\n# /// script\n# dependencies = ['flask']\n# ///\nimport flask\n"
    expected = b"#!/bin/x\n# /// script\n# dependencies = ['requests', 'numpy']\n# ///\nimport flask\n"
    assert expected == document.with_block(old, "dependencies = ['requests', 'numpy']\n", "s.py")


TEXTS = st.lists(st.sampled_from(["", "a = 1", "# é", "  b = 2", "x", "///", " "]), max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    old=st.lists(st.tuples(st.sampled_from(["#", "# ", "# a", "# é", "#   b"]), st.sampled_from(["\n", "\r\n", "\r"]))),
    new=TEXTS,
    around=st.tuples(st.sampled_from(["", "x = 'é'\n\r\n", "\r"]), st.sampled_from(["", "\ny", "\r\n'é'\r\n"])),
    encoding=st.sampled_from(["latin-1", "utf-8", "utf-8-sig"]),
)
def test_text_that_changes(old: list[tuple[str, str]], new: list[str], around: tuple[str, str], encoding: str) -> None:
    """The new text is read back; what is around the block, and every line that both texts have at first, stay bytes."""
    mark, encoding = (codecs.BOM_UTF8, "utf-8") if encoding == "utf-8-sig" else (b"", encoding)
    head = mark + f"# coding: {encoding}\n{around[0]}# /// script\r\n".encode(encoding)
    lines = [f"{line}{end}".encode(encoding) for line, end in old]
    tail = f"# ///{around[1]}".encode(encoding)
    text = "".join(f"{line}\n" for line in new)
    changed = document.with_block(head + b"".join(lines) + tail, text, "s.py")
    assert changed.startswith(head)
    assert changed.endswith(tail)
    assert document.block_text(changed, "s.py") == text
    kept = itertools.takewhile(lambda both: both[0][0][2:] == both[1], zip(old, new, strict=False))
    assert changed.startswith(head + b"".join(lines[: len(list(kept))]))


def test_unchanged_text_changes_nothing() -> None:
    """Blanks after `#` and mixed line ends are kept where the text is the same."""
    content = b"x\r\n# /// script\n# a = 1\r\n# \r\n#\n# b = 2\r\n# ///\ny"
    assert content == document.with_block(content, "a = 1\n\n\nb = 2\n", "s.py")
    assert content.replace(b"b = 2\r", b"b = 3") == document.with_block(content, "a = 1\n\n\nb = 3\n", "s.py")


def test_text_that_would_end_the_block() -> None:
    """What would be read as something else is refused, and so is what the encoding of the file cannot hold."""
    for content in (b"# /// other\n# coding: utf-8\n# ///\n", b"# /// other\n# coding: utf-8\n# x\n# ///\n"):
        with pytest.raises(EditError, match="no block can be written there"):
            document.with_block(content, "a = 1\n", "s.py")
    with pytest.raises(EditError, match="cannot be written in latin-1"):
        document.with_block(b"# coding: latin-1\n", "a = '☃'\n", "s.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"#!/usr/bin/env scriptrun\n"),
        (b"x\r\n", b"#!/usr/bin/env scriptrun\r\nx\r\n"),
        (b"#!/usr/bin/env python3\n", b"#!/usr/bin/env python3\n"),
        (codecs.BOM_UTF8 + b"x\n", codecs.BOM_UTF8 + b"#!/usr/bin/env scriptrun\nx\n"),
        (b"# coding: latin-1\n", b"#!/usr/bin/env scriptrun\n# coding: latin-1\n"),
        (b"\n# coding: latin-1\n", b"\n# coding: latin-1\n"),
    ],
)
def test_shebang(before: bytes, after: bytes) -> None:
    """It is added where there is none, unless the encoding would no longer be in the first two lines."""
    assert after == document.with_shebang(before)


def test_last_block() -> None:
    """A block of another type is put at the very end, replaced there, and taken away with the line before it."""
    lock = b"\r\n# /// pylock\r\n# a = 1\r\n# ///\r\n"
    added = document.with_last_block(b"x = 1\r\n", "pylock", "a = 1\n")
    assert added == b"x = 1\r\n" + lock
    assert document.with_last_block(added, "pylock", "b = 2\n") == added.replace(b"a = 1", b"b = 2")
    assert document.with_last_block(added, "pylock", None) == b"x = 1\r\n"
    assert document.with_last_block(b"x\r\ny", "pylock", "a = 1\n") == b"x\r\ny\r\n" + lock
    for gap in (b"", b"\r\n"):
        moved = document.with_last_block(added + gap + b"y = 2", "pylock", "a = 1\n")
        assert moved == b"x = 1\r\n\r\ny = 2\r\n" + lock
    script = b"# /// script\n# ///\n"
    assert document.with_last_block(script, "pylock", None) == script
    assert document.with_last_block(script, "pylock", "") == script + b"\n# /// pylock\n# ///\n"


def test_file_is_replaced_as_it_was(tmp_path: Path) -> None:
    """Mode, owner, extended attributes and the link that leads there are kept; nothing else is left there."""
    real = tmp_path / "real" / "s.py"
    real.parent.mkdir()
    real.write_bytes(b"old")
    real.chmod(0o2751)
    os.setxattr(real, "user.note", b"kept")
    if os.geteuid() == 0:
        os.chown(real, 12345, 54321)
        real.chmod(0o2751)
    link = tmp_path / "link.py"
    link.symlink_to("real/s.py")
    before = real.stat()
    document.write(document.read(str(link)), b"new")
    after = real.stat()
    assert real.read_bytes() == b"new"
    assert after.st_ino != before.st_ino
    assert [after.st_mode, after.st_uid, after.st_gid] == [before.st_mode, before.st_uid, before.st_gid]
    assert stat.S_IMODE(after.st_mode) == 0o2751
    assert after.st_mtime_ns >= before.st_mtime_ns
    assert os.getxattr(real, "user.note") == b"kept"
    assert link.is_symlink()
    assert list(real.parent.iterdir()) == [real]


def test_directory_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced all the same, and nothing else is said."""
    path = tmp_path / "s.py"
    path.write_bytes(b"old")
    opened = os.open

    def refuse(path: str, flags: int, *rest: int, **others: int) -> int:
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *rest, **others)

    monkeypatch.setattr(os, "open", refuse)
    document.write(document.read(str(path)), b"new")
    assert path.read_bytes() == b"new"


def test_file_that_changed_meanwhile(tmp_path: Path) -> None:
    """It is left as it is now, whether its bytes changed or it has gone, and nothing else is left."""
    path = tmp_path / "s.py"
    path.write_bytes(b"old")
    read = document.read(str(path))
    path.write_bytes(b"other")
    with pytest.raises(EditError, match="has changed meanwhile"):
        document.write(read, b"new")
    assert path.read_bytes() == b"other"
    path.unlink()
    with pytest.raises(EditError):
        document.write(read, b"new")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file(tmp_path: Path) -> None:
    """What is missing is missing, and neither a directory nor what is no ordinary file is edited."""
    with pytest.raises(ScriptMissing):
        document.read(str(tmp_path / "missing.py"))
    for path in (str(tmp_path), os.devnull):
        with pytest.raises(ScriptUnreadable):
            document.read(path)


def test_new_file(tmp_path: Path) -> None:
    """It is executable for whom the umask lets; one that is there is never written to."""
    path = tmp_path / "s.py"
    before = os.umask(0o027)
    try:
        document.create(str(path), b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    with pytest.raises(EditError):
        document.create(str(path), b"y")
    assert path.read_bytes() == b"x"
    with pytest.raises(EditError):
        document.create(str(tmp_path / "missing" / "s.py"), b"x")
