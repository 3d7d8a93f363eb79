"""Windows as its documentation has it: the registry and its rules, command lines, shortcuts."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any

Key = dict[str, tuple[Any, int]]


@dataclass
class Winreg:
    """What scriptrun uses of the module `winreg`, on two hives in memory.

    "Registry Element Size Limits": 255 characters in the name of a key, 16,383 in that of a value. Names are found in
    any case. A key that has keys cannot be deleted, strings end at their first NUL, the machine's hive is not the
    user's to write, nor is what the user chose in a dialog.
    """

    HKEY_CURRENT_USER = 1
    HKEY_LOCAL_MACHINE = 2
    REG_NONE = 0
    REG_SZ = 1
    REG_EXPAND_SZ = 2
    REG_DWORD = 4
    REG_MULTI_SZ = 7
    KEY_READ = 0x20019
    KEY_SET_VALUE = 2

    hives: dict[int, dict[str, Key]] = field(default_factory=lambda: {1: {}, 2: {}})
    spelling: dict[str, str] = field(default_factory=dict)

    def given(self, path: str, values: dict[str, tuple[Any, int]] | None = None, *, hive: int = 1) -> None:
        """Put a key with these values there, as somebody else does."""
        parts = path.split("\\")
        for length in range(1, len(parts) + 1):
            self.hives[hive].setdefault(self._found("\\".join(parts[:length])), {})
        self.hives[hive][self._found(path)].update(values or {})

    def state(self) -> dict[str, Key]:
        """Return a copy of what the user's hive holds."""
        return {path: dict(values) for path, values in self.hives[1].items()}

    def CreateKeyEx(self, hive: int, path: str, reserved: int = 0, access: int = 0) -> Handle:  # noqa: ARG002, N802
        """Make a key, and those above it."""
        if hive != self.HKEY_CURRENT_USER or "userchoice" in path.lower():
            raise PermissionError(path)
        parts = path.split("\\")
        if not all(1 <= len(part) <= 255 for part in parts) or len(parts) > 32:
            raise OSError(path)
        self.given(path)
        return Handle(self, hive, self._found(path), self.KEY_SET_VALUE)

    def OpenKey(self, hive: int, path: str, reserved: int = 0, access: int = 0x20019) -> Handle:  # noqa: ARG002, N802
        """Open a key that is there."""
        if self._found(path) not in self.hives[hive]:
            raise FileNotFoundError(path)
        return Handle(self, hive, self._found(path), access)

    def QueryValueEx(self, key: Handle, name: str) -> tuple[Any, int]:  # noqa: N802
        """Return the data and the type of a value; what is empty and has no type is None."""
        data, kind = self._value(key, name)
        return (None, kind) if kind == self.REG_NONE and not data else (data, kind)

    def SetValueEx(self, key: Handle, name: str, reserved: int, kind: int, data: Any) -> None:  # noqa: ARG002, N802
        """Write a value. Its data must be what its type says."""
        key.demand(self.KEY_SET_VALUE)
        if len(name) > 16_383:
            raise OSError(name)
        if kind in (self.REG_SZ, self.REG_EXPAND_SZ):
            assert isinstance(data, str)
            assert "\0" not in data
        elif kind == self.REG_MULTI_SZ:
            assert isinstance(data, list)
            assert all(isinstance(one, str) and one and "\0" not in one for one in data)
            data = list(data)
        else:
            assert (kind, type(data)) in ((self.REG_NONE, bytes), (self.REG_DWORD, int))
        values = self.hives[key.hive][key.path]
        values[next((one for one in values if one.lower() == name.lower()), name)] = (data, kind)

    def DeleteValue(self, key: Handle, name: str) -> None:  # noqa: N802
        """Delete a value that is there."""
        key.demand(self.KEY_SET_VALUE)
        self._value(key, name)
        values = self.hives[key.hive][key.path]
        del values[next(one for one in values if one.lower() == name.lower())]

    def DeleteKey(self, hive: int, path: str) -> None:  # noqa: N802
        """Delete a key that has none below it."""
        found = self.OpenKey(hive, path).path
        if hive != self.HKEY_CURRENT_USER or self._below(hive, found):
            raise PermissionError(path)
        del self.hives[hive][found]

    def EnumKey(self, key: Handle, number: int) -> str:  # noqa: N802
        """Return the name of a key below another."""
        return self._below(key.hive, key.path)[number]

    def QueryInfoKey(self, key: Handle) -> tuple[int, int, int]:  # noqa: N802
        """Return how many keys and values a key has, and when it was written."""
        return len(self._below(key.hive, key.path)), len(self.hives[key.hive][key.path]), 0

    def _found(self, path: str) -> str:
        return self.spelling.setdefault(path.lower(), path)

    def _below(self, hive: int, path: str) -> list[str]:
        start = f"{path.lower()}\\"
        return [
            one[len(start) :]
            for one in self.hives[hive]
            if one.lower().startswith(start) and "\\" not in one[len(start) :]
        ]

    def _value(self, key: Handle, name: str) -> tuple[Any, int]:
        for one, value in self.hives[key.hive][key.path].items():
            if one.lower() == name.lower():
                return value
        raise FileNotFoundError(name)


@dataclass
class Handle:
    """An open key."""

    registry: Winreg
    hive: int
    path: str
    access: int

    def demand(self, access: int) -> None:
        """Refuse what the key was not opened for."""
        if not self.access & access or self.hive != Winreg.HKEY_CURRENT_USER or "userchoice" in self.path.lower():
            raise PermissionError(self.path)

    def Close(self) -> None:  # noqa: N802
        """Close it."""

    def __enter__(self) -> Handle:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *_: object) -> None:
        return


def words(line: str) -> list[str]:
    """Return the words of a command line by the rules of `CommandLineToArgvW`."""
    first, rest = _program(line)
    found: list[str] = [first]
    word, inside, begun, at = "", False, False, 0
    while at < len(rest):
        slashes = len(rest) - at - len(rest[at:].lstrip("\\"))
        at += slashes
        if rest[at : at + 1] == '"':
            word += "\\" * (slashes // 2)
            begun = True
            if slashes % 2:
                word += '"'
            elif inside and rest[at + 1 : at + 2] == '"':  # a doubled one inside quotes is one that is meant
                word += '"'
                at += 1
            else:
                inside = not inside
            at += 1
            continue
        word += "\\" * slashes
        begun = begun or bool(slashes)
        if at == len(rest):
            break
        if rest[at] in " \t" and not inside:
            found += [word] * begun
            word, begun = "", False
        else:
            word += rest[at]
            begun = True
        at += 1
    return [*found, *([word] * begun)]


def _program(line: str) -> tuple[str, str]:
    """Return the first word, in which backslashes have no meaning, and the rest of a line."""
    if line.startswith('"'):
        first, _, rest = line[1:].partition('"')
        return first, rest
    found = re.match(r"\S*", line)
    assert found is not None
    return found[0], line[found.end() :]


def started(template: str, file: str, *arguments: str) -> str:
    """Return the line that the shell starts for a file, from the command in the registry."""
    handed_on = " ".join(f'"{one}"' for one in arguments)
    return re.sub(r"%(1|L|l|\*)", lambda found: handed_on if found[1] == "*" else file, template)


def link(content: bytes) -> dict[str, Any]:
    """Return what a shortcut says, read by "[MS-SHLLINK]": header, StringData, ExtraData."""
    size, class_id, flags = struct.unpack_from("<I16sI", content)
    assert size == 0x4C
    assert class_id.hex() == "0114020000000000c000000000000046"
    assert not flags & 0b11, "neither a list of identifiers nor LinkInfo follows"
    assert flags & 0x80, "strings are UTF-16"
    show, hotkey, *reserved = struct.unpack_from("<IHHII", content, 60)
    assert (show, hotkey, reserved) == (1, 0, [0, 0, 0])
    at, found = size, {}
    for bit, name in ((2, "name"), (3, "relative"), (4, "directory"), (5, "arguments"), (6, "icon")):
        if flags & 1 << bit:
            (count,) = struct.unpack_from("<H", content, at)
            found[name] = content[at + 2 : at + 2 + 2 * count].decode("utf-16-le")
            at += 2 + 2 * count
    assert flags & 0x200, "the target is in the block of variables"
    length, signature, narrow, wide = struct.unpack_from("<II260s520s", content, at)
    assert (length, signature) == (788, 0xA0000001)
    assert narrow.endswith(b"\0")
    assert wide.endswith(b"\0\0")
    found["target"] = wide.decode("utf-16-le").split("\0")[0]
    assert content[at + length :] == bytes(4), "a terminal block, and nothing after it"
    return found
