r"""A script file that is edited: read it, make new bytes out of its bytes, write these in its place.

    document = read("s.py")
    text = block_text(document.content, document.name)  # TOML, None without a block
    content = with_block(document.content, text + 'requires-python = ">=3.11"\n', document.name)
    write(document, content)

What is between takes bytes and gives bytes. Line ends, byte order mark and encoding (PEP 263) stay as they are, and
every line that the new text has in common with the old one keeps its bytes. Lines end where `block` says that they do.
"""

from __future__ import annotations

import codecs
import contextlib
import difflib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from scriptrun import block as blocks
from scriptrun import source
from scriptrun.block import Block
from scriptrun.errors import EditError, ScriptUnreadable

SHEBANG = b"#!/usr/bin/env scriptrun"


@dataclass(frozen=True)
class Document:
    """A file as it was read: its name for messages, its real path (links followed), its bytes."""

    name: str
    file: str
    content: bytes


def read(path: str) -> Document:
    """Return the file at `path`. Raises ScriptMissing, and ScriptUnreadable for what is no ordinary file."""
    file = os.path.realpath(path)
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(os.stat(file).st_mode) and not os.path.isdir(file):
            raise ScriptUnreadable(f"`{path}` is not an ordinary file, and cannot be edited")
    return Document(path, file, source.read(path).content)


def block_text(content: bytes, name: str) -> str | None:
    """Return the TOML text of the `script` block, None where there is none. Raises MetadataError."""
    found, _ = blocks.cut(content, name)
    return None if found is None else found.text(name)


def with_block(content: bytes, text: str, name: str) -> bytes:
    """Return `content` with `text` in its `script` block; without one, it gets one after shebang and encoding line.

    Raises MetadataError, and EditError where no block can stand that holds `text`.
    """
    found, _ = blocks.cut(content, name)
    new = _inserted(content, text) if found is None else _replaced(content, text, found)
    if block_text(new, name) != text:
        raise EditError("no block can be written there that would be read again", place=name)
    return new


def _inserted(content: bytes, text: str) -> bytes:
    mark, body = _marked(content)
    end = newline(content)
    first = blocks.declaration(_normal(body))[1] or int(body.startswith(b"#!"))  # what must stay in the first lines
    lines = body.splitlines(keepends=True)
    rest = b"".join(lines[first:])
    gap = b"" if not rest or rest[:1] in b"\r\n" else end
    return mark + _ended(lines[:first], end) + comment("script", text, content) + gap + rest


def _replaced(content: bytes, text: str, found: Block) -> bytes:
    lines = content.splitlines(keepends=True)
    old = lines[found.first : found.last - 1]
    end = _line_end(lines[found.first - 1])
    new = [_encoded(line, found.encoding) + end for line in _comments(text)]
    return b"".join([*lines[: found.first], *_merged(old, new), *lines[found.last - 1 :]])


def with_shebang(content: bytes) -> bytes:
    """Return `content` with a first line that runs it, unless it has one or the encoding must stay in the second."""
    mark, body = _marked(content)
    if body.startswith(b"#!") or blocks.declaration(_normal(body))[1] == 2:
        return content
    return mark + SHEBANG + newline(content) + body


def with_last_block(content: bytes, kind: str, text: str | None) -> bytes:
    """Return `content` with a block of type `kind` that holds `text` at its very end, instead of one that is anywhere.

    None takes that away, with the blank line before it. How long it may be is not looked at here. Raises EditError.
    """
    lines = content.splitlines(keepends=True)
    for first, last in reversed(blocks.spans(content, kind)):
        blank = lines[first - 2 : first - 1] in ([b"\n"], [b"\r\n"], [b"\r"])
        ends = not lines[last:] or not lines[last].strip(b"\r\n")
        del lines[first - 1 - (blank and ends) : last]
    if text is None:
        return b"".join(lines)
    end = newline(content)
    body = _ended(lines, end)
    return body + (end if body else b"") + comment(kind, text, content)


def comment(kind: str, text: str, content: bytes) -> bytes:
    """Return `text` as a block of type `kind`, with the encoding and line ends of `content`. Raises EditError."""
    declared = encoding(content)
    lines = [f"# /// {kind}", *_comments(text), "# ///"]
    return b"".join(_encoded(line, declared) + newline(content) for line in lines)


def newline(content: bytes) -> bytes:
    r"""Return how the first line of `content` ends; `\n` where there is none."""
    first = content.splitlines(keepends=True)[:1]
    return _line_end(first[0]) if first else b"\n"


def encoding(content: bytes) -> str:
    """Return the encoding that `content` declares, by a byte order mark or as PEP 263 has it; else `utf-8`."""
    mark, body = _marked(content)
    return "utf-8" if mark else blocks.declaration(_normal(body))[0]


def create(path: str, content: bytes, mode: int = 0o777) -> None:
    """Make a file that was not there, executable unless `mode` says otherwise; the umask counts. Raises EditError."""
    file = os.path.realpath(path)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as opened, _removing(file):
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise EditError(f"`{path}` cannot be made: {error.strerror}") from None


def write(document: Document, content: bytes) -> None:
    """Put `content` in the place of the file, whole: by rename, with the file's owner, mode and extended attributes.

    Raises EditError where that is not possible, or where the file is not any more what was read.
    """
    file = document.file
    try:
        if not os.access(file, os.W_OK):
            raise EditError(f"`{document.name}` may not be written to")
        temporary = os.path.join(os.path.dirname(file), f".scriptrun-{os.urandom(8).hex()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as opened, _removing(temporary):
            opened.write(content)
            _take_after(file, descriptor)
            shutil.copystat(file, temporary)
            os.utime(temporary)
            opened.flush()
            os.fsync(descriptor)
            if not _holds(file, document.content):
                raise EditError(f"`{document.name}` has changed meanwhile", hint="run the command again")
            os.replace(temporary, file)
        _keep_names(os.path.dirname(file))
    except OSError as error:
        raise EditError(f"`{document.name}` cannot be replaced: {error.strerror}") from None


def _keep_names(directory: str) -> None:
    """Let the names in a directory survive a loss of power, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_after(file: str, descriptor: int) -> None:
    """Give what is open the owner and group of `file`, which only root may do for others."""
    wanted, got = os.stat(file), os.fstat(descriptor)
    if (wanted.st_uid, wanted.st_gid) != (got.st_uid, got.st_gid):
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)


def _holds(file: str, content: bytes) -> bool:
    with open(file, "rb") as opened:
        return opened.read() == content


@contextlib.contextmanager
def _removing(file: str) -> Iterator[None]:
    """Remove `file` where something fails."""
    try:
        yield
    except BaseException:
        os.unlink(file)
        raise


def _marked(content: bytes) -> tuple[bytes, bytes]:
    """Return the byte order mark, if there is one, and what follows it."""
    body = content.removeprefix(codecs.BOM_UTF8)
    return content[: len(content) - len(body)], body


def _normal(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _comments(text: str) -> Iterator[str]:
    return (f"# {line}" if line else "#" for line in text.removesuffix("\n").split("\n") if text)


def _encoded(line: str, encoding: str) -> bytes:
    try:
        return line.encode(encoding)
    except (LookupError, UnicodeError):
        raise EditError(
            f"`{line}` cannot be written in {encoding}, the encoding of the file", hint="save the file as UTF-8"
        ) from None


def _merged(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Yield the lines of `new`; one that `old` has too, but for its end and a last blank, as it stands there.

    The first lines that are equal are set apart, as thousands of them would take the matcher long.
    """
    plain_old, plain_new = [_plain(line) for line in old], [_plain(line) for line in new]
    pairs = enumerate(zip(plain_old, plain_new, strict=False))
    same = next((number for number, (one, other) in pairs if one != other), min(len(old), len(new)))
    yield from old[:same]
    matcher = difflib.SequenceMatcher(None, plain_old[same:], plain_new[same:], autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        yield from old[same + start : same + end] if tag == "equal" else new[same + first : same + last]


def _plain(line: bytes) -> bytes:
    line = line.rstrip(b"\r\n")
    return b"#" if line == b"# " else line


def _line_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :] or b"\n"


def _ended(lines: list[bytes], end: bytes) -> bytes:
    joined = b"".join(lines)
    return joined + end if joined and joined[-1:] not in b"\r\n" else joined
