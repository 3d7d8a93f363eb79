"""The text of a desktop entry: freedesktop.org "Desktop Entry" specification 1.5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_RESERVED = re.compile(r"""[\s"'\\><~|&;$*?#()`]""")
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def text(fields: Mapping[str, str]) -> str:
    """Return an entry with these keys, each with the text that it means."""
    lines = [f"{key}={_value(value)}\n" for key, value in fields.items()]
    return "".join(["[Desktop Entry]\n", *lines])


def command(words: Sequence[str], code: str = "") -> str:
    """Return the text of `Exec` that runs these words, then what `code`, such as `%f`, stands for."""
    quoted = [_quoted(word) for word in words]
    return " ".join([*quoted, code] if code else quoted)


def strings(values: Sequence[str]) -> str:
    """Return the text of a key that holds a list, such as `Categories`."""
    return "".join(value.replace(";", "\\;") + ";" for value in values)


def _value(text: str) -> str:
    r"""Return a text as it stands behind `=`; a `\;` of a list keeps its meaning."""
    escaped = re.sub(r"\\(?!;)|[\n\t\r]", lambda found: _ESCAPED[found[0]], text)
    return "\\s" + escaped[1:] if escaped.startswith(" ") else escaped


def _quoted(word: str) -> str:
    """Return a word of a command line as `Exec` has it: in quotes where a character has a meaning."""
    doubled = word.replace("%", "%%")
    if doubled and not _RESERVED.search(doubled):
        return doubled
    return '"' + re.sub(r'(["`$\\])', r"\\\1", doubled) + '"'
