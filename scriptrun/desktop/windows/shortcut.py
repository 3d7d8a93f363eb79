"""The bytes of a shortcut of Windows: "[MS-SHLLINK]: Shell Link (.LNK) Binary File Format"."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_CLASS = bytes.fromhex("0114020000000000c000000000000046")
_HAS_NAME = 1 << 2
_HAS_WORKING_DIRECTORY = 1 << 4
_HAS_ARGUMENTS = 1 << 5
_HAS_ICON = 1 << 6
_IS_UNICODE = 1 << 7
_FORCE_NO_LINK_INFO = 1 << 8
_HAS_EXPANDABLE_TARGET = 1 << 9
_STRINGS = (_HAS_NAME, _HAS_WORKING_DIRECTORY, _HAS_ARGUMENTS, _HAS_ICON)
"""The flags of the strings that there may be, in their order."""

_ALWAYS = _IS_UNICODE | _FORCE_NO_LINK_INFO | _HAS_EXPANDABLE_TARGET
_NORMAL_WINDOW = 1
_ENVIRONMENT_BLOCK = 0xA0000001

MAX_TARGET = 259
"""The longest path of a program, in UTF-16 units: a field of 260 ends with a zero."""


@dataclass(frozen=True)
class Shortcut:
    """A program to start: its path, its arguments as one line, where it starts, what is shown of it."""

    target: str
    arguments: str
    directory: str
    description: str = ""
    icon: str = ""


def encode(shortcut: Shortcut) -> bytes:
    """Return the content of the `.lnk` file. Raises ValueError for a target that is too long.

    The target stands as a path with variables (EnvironmentVariableDataBlock) and not as a list of identifiers, which
    only the shell itself can make.
    """
    strings = (shortcut.description, shortcut.directory, shortcut.arguments, shortcut.icon)
    flags = _ALWAYS | sum(flag for flag, text in zip(_STRINGS, strings, strict=True) if text)
    header = struct.pack("<I16sII24xIiIHHII", 0x4C, _CLASS, flags, 0, 0, 0, _NORMAL_WINDOW, 0, 0, 0, 0)
    return b"".join([header, *(_counted(text) for text in strings if text), _target(shortcut.target), bytes(4)])


def decode(content: bytes) -> Shortcut | None:
    """Return what the content of a `.lnk` file says that `encode` has made, None for those of others."""
    found: dict[int, str] = {}
    try:
        at, class_, flags = struct.unpack_from("<I16sI", content)
        if class_ != _CLASS or flags & ~sum(_STRINGS) != _ALWAYS:
            return None
        for flag in (one for one in _STRINGS if flags & one):
            end = at + 2 + 2 * struct.unpack_from("<H", content, at)[0]
            found[flag] = content[at + 2 : end].decode("utf-16-le", "surrogatepass")
            at = end
        target = struct.unpack_from("<8x260x520s", content, at)[0].decode("utf-16-le", "surrogatepass")
    except (struct.error, UnicodeDecodeError):
        return None
    description, directory, arguments, icon = (found.get(flag, "") for flag in _STRINGS)
    return Shortcut(target.partition("\0")[0], arguments, directory, description, icon)


def _counted(text: str) -> bytes:
    encoded = text.encode("utf-16-le", "surrogatepass")
    return struct.pack("<H", len(encoded) // 2) + encoded


def _target(path: str) -> bytes:
    wide = path.encode("utf-16-le", "surrogatepass")
    if len(wide) > 2 * MAX_TARGET:
        raise ValueError(path)
    narrow = path.encode("ascii", "replace")
    return struct.pack("<II260s520s", 0x314, _ENVIRONMENT_BLOCK, narrow, wide)
