"""The MIME type of scripts: freedesktop.org "Shared MIME-info Database" specification 0.21.

It is no `text/…`, and a sub-class of none: file managers execute such files themselves where their mode allows it. Of
names with several types the content decides; its `*.py` weighs less than that of Python files, which all others stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

TYPE = "application/x-scriptrun"

PYTHON = "text/x-python"
"""The type of other Python files."""

EXTENT = 4096
"""How many bytes of a file are looked at: file managers read no more."""

_CERTAIN, _LIKELY = 90, 45
"""From 80 on content counts more than a name. Below 50 a shell script that holds a block stays one."""


def xml() -> str:
    """Return what the database is told."""
    begins = "".join(_match(f"# /// script{end}", offset) for offset in ("0", "3") for end in _ENDS)  # 3: behind a BOM
    block = "".join(_match(f"{start}# /// script{end}", f"0:{EXTENT}") for start in _STARTS for end in _ENDS)
    started = "".join(_match(f"{before}scriptrun{after}", "2:200") for before in "/ " for after in (" ", *_ENDS))
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{TYPE}">
    <comment>Python script with all that it needs</comment>
    <generic-icon name="text-x-script"/>
    <magic priority="{_CERTAIN}">
{begins}{_match("#!", "0", started)}{_match("#!", "0", _match("python", "2:100", block))}    </magic>
    <magic priority="{_LIKELY}">
{block}    </magic>
    <glob pattern="*.py" weight="40"/>
  </mime-type>
</mime-info>
"""


def is_known(data_directories: Iterable[str]) -> bool:
    """Tell whether a database that programs read, of those below the directories, knows the type."""
    return any(f"{TYPE}\0".encode() in _content(os.path.join(path, "mime", "mime.cache")) for path in data_directories)


_STARTS = ("\\n", "\\r")
_ENDS = ("\\n", "\\r")


def _match(value: str, offset: str, inside: str = "") -> str:
    """Return a rule: the text `value`, beginning at a byte of `offset`, and where given one of those `inside`."""
    opening = f'      <match type="string" value="{value}" offset="{offset}"'
    return f"{opening}>\n{inside}      </match>\n" if inside else f"{opening}/>\n"


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
