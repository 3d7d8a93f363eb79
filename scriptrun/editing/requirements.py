"""Change what the TOML text of a block asks for: its `dependencies`, and the keys of `[tool.scriptrun]`.

After each change the text is read again: it must say what was asked for, and all else as before.
"""

from __future__ import annotations

import bisect
import os
import re
from collections.abc import Callable
from typing import Any

import tomli
import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError

from scriptrun.editing import array
from scriptrun.errors import EditError

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

_KEY = "dependencies"
_HEADER = "[tool.scriptrun]\n"


def listed(text: str) -> list[str]:
    """Return the entries of `dependencies`, as they are written, in their order."""
    entries: list[str] = tomli.loads(text).get(_KEY, [])
    return entries


def name(entry: str) -> str:
    """Return the canonical name of the distribution that a requirement is for."""
    return canonicalize_name(Requirement(entry).name)


def same(one: str, other: str) -> bool:
    """Tell whether two requirements are for one distribution under one condition, so that they replace each other."""
    left, right = Requirement(one), Requirement(other)
    return name(one) == name(other) and str(left.marker) == str(right.marker)


def place(entries: list[str], entry: str) -> int:
    """Return where among `entries` a new one goes: in its place by the alphabet if they are sorted, else at the end."""
    names = [name(one) for one in entries]
    return bisect.bisect_right(names, name(entry)) if names == sorted(names) else len(names)


def insert(text: str, index: int, entry: str) -> str:
    """Return `text` with a new requirement, number `index` of the list. Raises EditError."""
    entries = listed(text)
    wanted = [*entries[:index], entry, *entries[index:]]
    if _KEY not in tomli.loads(text):
        text = _with_list(text)
    return _edit(text, wanted, lambda old: array.insert(old, index, _quoted(entry, old)))


def replace(text: str, index: int, entry: str) -> str:
    """Return `text` with requirement number `index` as `entry` says, but the name as it was. Raises EditError."""
    entries = listed(text)
    entry = NAME.sub(Requirement(entries[index]).name, entry, count=1)
    wanted = [*entries[:index], entry, *entries[index + 1 :]]

    def change(old: str) -> str:
        return array.replace(old, index, _quoted(entry, old[array.entries(old)[index].start :]))

    return _edit(text, wanted, change)


def remove(text: str, index: int) -> str:
    """Return `text` without requirement number `index`. Raises EditError."""
    entries = listed(text)
    return _edit(text, [*entries[:index], *entries[index + 1 :]], lambda old: array.remove(old, index))


def set_option(text: str, key: str, value: str | None) -> str:
    """Return `text` with this value of a key of `[tool.scriptrun]`, None: without that key. Raises EditError."""
    wanted = tomli.loads(text)
    tool = wanted.setdefault("tool", {})
    if value is None and key not in tool.get("scriptrun", {}):
        return text
    if value is not None and "scriptrun" not in tool:
        tool["scriptrun"] = {key: value}
        quoted, blank = tomlkit.string(value).as_string(), "\n" if text else ""
        return _verified(f"{text}{blank}{_HEADER}{key} = {quoted}\n", wanted)
    document = _parsed(text)
    table: Any = document["tool"]
    table = table["scriptrun"]
    if value is not None:
        table[key] = tool["scriptrun"][key] = value
        return _verified(document.as_string(), wanted)
    del table[key], tool["scriptrun"][key]
    return _without_header(_verified(document.as_string(), wanted))


def _without_header(text: str) -> str:
    """Return `text` without the header of a table that has nothing left in it and is the last."""
    if text == _HEADER:
        return ""
    return text.removesuffix(f"\n{_HEADER}") if text.endswith(f"\n\n{_HEADER}") else text


def _edit(text: str, wanted: list[str], change: Callable[[str], str]) -> str:
    """Return `text` with its list changed, which then must be the `wanted` one."""
    before, old, after = _around(text, _KEY)
    return _verified(before + change(old) + after, {**tomli.loads(text), _KEY: wanted})


def _verified(text: str, wanted: dict[str, Any]) -> str:
    try:
        if tomli.loads(text) == wanted:
            return text
    except tomli.TOMLDecodeError:
        pass
    raise EditError("the block is written in a way that cannot be changed without damage", hint="change it by hand")


def _with_list(text: str) -> str:
    """Return `text` with an empty list of dependencies, after `requires-python` if there is one."""
    if "requires-python" not in tomli.loads(text):
        return f"{_KEY} = []\n{text}"
    before, value, after = _around(text, "requires-python")
    rest, _, lines = after.partition("\n")
    return f"{before}{value}{rest}\n{_KEY} = []\n{lines}"


def _around(text: str, key: str) -> tuple[str, str, str]:
    """Return what is before the value of a key, the value as it is written, and what is after it. Raises EditError."""
    document = _parsed(text)
    item: Any = document.item(key)
    value: str = item.as_string()
    mark = os.urandom(16).hex()
    document[key] = mark
    before, _, after = document.as_string().partition(f'"{mark}"')
    if before + value + after != text:
        raise EditError("the block is written in a way that cannot be kept", hint="change it by hand")
    return before, value, after


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise EditError(f"the block cannot be changed: {error}", hint="change it by hand") from None


def _quoted(entry: str, like: str) -> str:
    """Return an entry as a TOML string, in the quotes that come first in `like` unless it has such in itself."""
    first = re.search("[\"']", re.sub("#[^\n]*", "", like))
    literal = (first is not None and first.group() == "'") or '"' in entry
    return tomlkit.string(entry, literal=literal and "'" not in entry).as_string()
