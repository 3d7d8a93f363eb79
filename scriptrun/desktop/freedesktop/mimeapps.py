"""The text of a `mimeapps.list`: freedesktop.org "Association between MIME types and applications" 1.0.1.

Bytes in, bytes out; every line but the one that is changed stays as it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT = "Default Applications"
ADDED = "Added Associations"
REMOVED = "Removed Associations"


class Association(NamedTuple):
    """An application, by the name of its entry, for a MIME type, in a section of the file."""

    section: str
    type: str
    application: str


def read(content: bytes) -> dict[str, dict[str, list[str]]]:
    """Return the applications of each type of each section, the first ones first."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in _text(content).splitlines():
        header = re.fullmatch(r"\s*\[(.*)\]\s*", line)
        if header:
            section = header[1]
        elif "=" in line and not line.lstrip().startswith("#"):
            found.setdefault(section, {})[line.partition("=")[0].strip()] = _values(line)
    return found


def put(content: bytes, wanted: Association, *, first: bool) -> bytes:
    """Return the file with the application among those of its type: the first of them, or the last."""
    lines = content.splitlines(keepends=True)
    number, end = _find(lines, wanted)
    if number is not None:
        others = [one for one in _values(_text(lines[number])) if one != wanted.application]
        lines[number] = _line(lines[number], [wanted.application, *others] if first else [*others, wanted.application])
        return b"".join(lines)
    line = f"{wanted.type}={wanted.application};\n".encode()
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"
    if end is None:
        gap = b"\n" if lines else b""
        return b"".join([*lines, gap, f"[{wanted.section}]\n".encode(), line])
    return b"".join([*lines[:end], line, *lines[end:]])


def take(content: bytes, unwanted: Association) -> bytes:
    """Return the file without the application among those of the type; a line or a section that gets empty goes."""
    lines = content.splitlines(keepends=True)
    number, _ = _find(lines, unwanted)
    applications = [] if number is None else _values(_text(lines[number]))
    if number is None or unwanted.application not in applications:
        return content
    left = [one for one in applications if one != unwanted.application]
    if left:
        lines[number] = _line(lines[number], left)
        return b"".join(lines)
    del lines[number]
    if number and _header(lines[number - 1]) and (number == len(lines) or _header(lines[number])):
        del lines[number - 1]
    return b"".join(lines)


def _find(lines: list[bytes], wanted: Association) -> tuple[int | None, int | None]:
    """Return the number of the line that counts for a type, and where another one of its section can stand."""
    section = number = end = None
    for position, line in enumerate(lines):
        section = _header(line) or section
        if section != wanted.section or not line.strip():
            continue
        end = position + 1
        if line.partition(b"=")[0].strip() == wanted.type.encode() and b"=" in line:
            number = position
    return number, end


def _header(line: bytes) -> str:
    """Return the section that begins with a line, `""`: none does."""
    found = re.fullmatch(rb"\s*\[(.*)\]\s*", line)
    return _text(found[1]) if found else ""


def _values(line: str) -> list[str]:
    return [one.strip() for one in line.partition("=")[2].split(";") if one.strip()]


def _line(before: bytes, applications: list[str]) -> bytes:
    """Return a line with other applications: key, line end and whether a `;` is at the end stay as they are."""
    body = before.rstrip(b"\r\n")
    key, equals, value = body.partition(b"=")
    final = b";" if value.rstrip().endswith(b";") else b""
    names = ";".join(applications).encode("utf-8", "surrogateescape")
    return key + equals + names + final + before[len(body) :]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")
