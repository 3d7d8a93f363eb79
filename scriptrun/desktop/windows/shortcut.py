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
    strings = {
        _HAS_NAME: shortcut.description,
        _HAS_WORKING_DIRECTORY: shortcut.directory,
        _HAS_ARGUMENTS: shortcut.arguments,
        _HAS_ICON: shortcut.icon,
    }
    flags = _IS_UNICODE | _FORCE_NO_LINK_INFO | _HAS_EXPANDABLE_TARGET
    for flag, text in strings.items():
        flags |= flag if text else 0
    header = struct.pack("<I16sII24xIiIHHII", 0x4C, _CLASS, flags, 0, 0, 0, _NORMAL_WINDOW, 0, 0, 0, 0)
    return b"".join(
        [header, *(_counted(text) for text in strings.values() if text), _target(shortcut.target), bytes(4)]
    )


def runs(content: bytes, arguments: str) -> bool:
    """Tell whether the shortcut with this content hands on exactly these arguments."""
    return content.startswith(struct.pack("<I16s", 0x4C, _CLASS)) and _counted(arguments) in content


def _counted(text: str) -> bytes:
    encoded = text.encode("utf-16-le", "surrogatepass")
    return struct.pack("<H", len(encoded) // 2) + encoded


def _target(path: str) -> bytes:
    wide = path.encode("utf-16-le", "surrogatepass")
    if len(wide) > 2 * MAX_TARGET:
        raise ValueError(path)
    narrow = path.encode("ascii", "replace")
    return struct.pack("<II260s520s", 0x314, _ENVIRONMENT_BLOCK, narrow, wide)
