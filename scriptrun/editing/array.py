"""Change one entry in the text of a TOML array of strings, and keep how the others are laid out.

tomlkit's own arrays do not: with commas before the entries, or several entries on a line, a new one ends up in a
comment; removing one takes commas and comments of others away; a new one comes below a comment that is about another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scriptrun import places

INDENT = "  "
"""What is before an entry in an array that had none."""

_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(#[^\n]*)?(?=\n)")


@dataclass(frozen=True)
class Entry:
    """Where a string starts and ends in the text of its array, and where the comma after it is (-1: there is none)."""

    start: int
    end: int
    comma: int


def entries(text: str) -> list[Entry]:
    """Return the entries of an array, which `text` is from bracket to bracket."""
    found: list[Entry] = []
    for token in places.TOKEN.finditer(text):
        if token.lastgroup == "string":
            found.append(Entry(token.start(), token.end(), -1))
        elif token.group() == ",":
            found[-1] = Entry(found[-1].start, found[-1].end, token.start())
    return found


def replace(text: str, index: int, item: str) -> str:
    """Return the array with `item` instead of its entry number `index`."""
    entry = entries(text)[index]
    return text[: entry.start] + item + text[entry.end :]


def insert(text: str, index: int, item: str) -> str:
    """Return the array with `item` as entry number `index`, on a line of its own where the one before it has one."""
    found = entries(text)
    if not found:
        line = f"\n{INDENT}{item},"
        at = text.rfind("\n")
        return f"[{line}\n]" if at < 0 else text[:at] + line + text[at:]
    if index == 0:
        return _insert_first(text, found[0], item)
    before = found[index - 1]
    margin, end = _margin(text, before), _end_of_line(text, before)
    if end is not None and before.comma > end:  # the comma stands before the next entry, if there is one
        margin = _margin(text, found[index]) if index < len(found) else None
        margin = margin if margin and "," in margin else None
    if margin is None or end is None:
        return text[: before.end] + f", {item}" + text[before.end :]
    if 0 <= before.comma < end:
        return text[:end] + f"\n{margin.replace(',', ' ')}{item}," + text[end:]
    if "," in margin:
        return text[:end] + f"\n{margin}{item}" + text[end:]
    return text[: before.end] + "," + text[before.end : end] + f"\n{margin}{item}" + text[end:]


def _insert_first(text: str, first: Entry, item: str) -> str:
    margin = _margin(text, first)
    if margin is None:
        return text[: first.start] + f"{item}, " + text[first.start :]
    at = text.index("\n")
    return text[:at] + f"\n{margin}{item}," + text[at:]


def remove(text: str, index: int) -> str:
    """Return the array without its entry number `index`, nor what else is on a line that it has for itself."""
    found = entries(text)
    entry = found[index]
    if len(found) == 1 and "#" not in text[: entry.start] + text[entry.end :]:
        return "[]"
    margin, end = _margin(text, entry), _end_of_line(text, entry)
    start = text.rfind("\n", 0, entry.start)
    if margin is None or end is None or ("," in margin and 0 <= entry.comma < end):
        return _remove_from_line(text, entry, found[index - 1] if index else None)
    if entry.comma < end or "," in margin:
        return _cut(text, (start, end))
    return _cut(text, (start, end), (entry.comma, _blanks(text, entry.comma + 1)))


def _remove_from_line(text: str, entry: Entry, before: Entry | None) -> str:
    """Return the array without an entry and one comma, the next or else the last."""
    if entry.comma >= 0:
        if text[entry.end : entry.comma].strip():  # a comment
            return _cut(text, (entry.start, entry.end), (entry.comma, entry.comma + 1))
        end = _blanks(text, entry.comma + 1)
        if text[end] not in "#\n]":
            return _cut(text, (entry.start, end))
        start = len(text[: entry.start].rstrip(" \t"))
        return _cut(text, (start, entry.comma + 1))
    if before is None:
        return _cut(text, (entry.start, entry.end))
    if text[before.end : entry.start].strip() == ",":
        return _cut(text, (before.end, entry.end))
    return _cut(text, (before.comma, before.comma + 1), (entry.start, entry.end))


def _margin(text: str, entry: Entry) -> str | None:
    """Return what is before an entry that is the first on its line, which may be a comma; None where it is not."""
    start = text.rfind("\n", 0, entry.start)
    margin = text[start + 1 : entry.start]
    return None if start < 0 or margin.strip(" \t,") else margin


def _end_of_line(text: str, entry: Entry) -> int | None:
    """Return where the line of an entry ends that is the last on it; None where it is not."""
    rest = _REST_OF_LINE.match(text, entry.end)
    return rest.end() if rest else None


def _blanks(text: str, at: int) -> int:
    """Return where the blanks from `at` on end."""
    return len(text) - len(text[at:].lstrip(" \t"))


def _cut(text: str, *spans: tuple[int, int]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    return text
