"""The text of a desktop entry: freedesktop.org "Desktop Entry" specification 1.5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scriptrun.errors import UsageError

_GROUP = "[Desktop Entry]"
_RESERVED = re.compile(r"""[\s"'\\><~|&;$*?#()`]""")
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", " ": "\\s"}
_MEANT = {escape[1]: character for character, escape in _ESCAPED.items()}
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_INDIRECTLY = ("/bin/sh", "-c", 'exec "$0" "$@"')
"""Starts a program whose path has `=` or `%` in it: the one is forbidden there, GLib does not find the other."""


def text(fields: Mapping[str, str | Sequence[str]]) -> str:
    """Return an entry with these keys, each with the text, or the list of texts, that it means.

    Raises UsageError for what no entry can hold.
    """
    lines = [f"{key}={value}\n" for key, value in ((key, _value(meant)) for key, meant in fields.items())]
    return "".join([f"{_GROUP}\n", *lines])


def read(content: str) -> dict[str, str]:
    """Return the keys of an entry, each with the text that it means; a list is left as it stands."""
    found: dict[str, str] = {}
    group = ""
    for line in content.split("\n"):
        key, equals, value = line.partition("=")
        if line.startswith("["):
            group = line.rstrip()
        elif group == _GROUP and equals and not line.startswith("#"):
            found[key.strip()] = re.sub(r"\\([sntr\\])", lambda escape: _MEANT[escape[1]], value.lstrip(" \t"))
    return found


def command(words: Sequence[str], code: str = "") -> str:
    """Return the text of `Exec` that runs these words, then what `code`, such as `%f`, stands for."""
    indirectly = _INDIRECTLY if re.search("[=%]", words[0]) else ()
    quoted = [_quoted(word) for word in (*indirectly, *words)]
    return " ".join([*quoted, code] if code else quoted)


def _value(meant: str | Sequence[str]) -> str:
    """Return what stands behind `=`: readers take blanks away where it begins or ends."""
    if not isinstance(meant, str):
        return "".join(_value(one).replace(";", "\\;") + ";" for one in meant)
    escaped = re.sub(r"[\\\n\t\r]|^ | $", lambda found: _ESCAPED[found[0]], meant)
    if _NO_TEXT.search(escaped):
        raise UsageError(f"`{meant}` holds what is no text, and cannot stand in a desktop entry", hint="rename it")
    return escaped


def _quoted(word: str) -> str:
    """Return a word of a command line as `Exec` has it: in quotes where a character has a meaning."""
    doubled = word.replace("%", "%%")
    if doubled and not _RESERVED.search(doubled):
        return doubled
    return '"' + re.sub(r'(["`$\\])', r"\\\1", doubled) + '"'
