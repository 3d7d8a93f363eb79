"""The MIME type of scripts: freedesktop.org "Shared MIME-info Database" specification 0.21.

It is no `text/…`, and a sub-class of none: file managers execute such files themselves where their mode allows it. Of
names with several types the content decides; its `*.py` weighs less than that of Python files, which all others stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from xml.sax import saxutils

from scriptrun.desktop.freedesktop import files

TYPE = "application/x-scriptrun"

PYTHON = "text/x-python"
"""The type of other Python files."""

EXTENT = 4096
"""How many bytes of a file are looked at: file managers read no more."""

_CERTAIN, _LIKELY = 90, 45
"""From 80 on content counts more than a name. Below 50 a shell script that holds a block stays one."""


def xml(programs: Iterable[str]) -> str:
    """Return what the database is told. `programs` are paths of the command `scriptrun`, beside the usual ones."""
    begins = "".join(_match(f"# /// script{end}", offset) for offset in ("0", "3") for end in _ENDS)  # 3: behind a BOM
    block = "".join(_match(f"{start}# /// script{end}", f"0:{EXTENT}") for start in _ENDS for end in _ENDS)
    ours = (*_usual("scriptrun"), *filter(str.isprintable, programs))
    started = "".join(_match(line + after, "0") for line in _first_lines(ours) for after in (" ", "\t", *_ENDS))
    below_python = "".join(_match(line, "0", block) for line in _first_lines(_usual("python")))
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{TYPE}">
    <comment>Python script with all that it needs</comment>
    <generic-icon name="text-x-script"/>
    <magic priority="{_CERTAIN}">
{begins}{started}{below_python}    </magic>
    <magic priority="{_LIKELY}">
{block}    </magic>
    <glob pattern="*.py" weight="40"/>
  </mime-type>
</mime-info>
"""


def is_known(data_directories: Iterable[str]) -> bool:
    """Tell whether a database that programs read, of those below the directories, knows the type."""
    return any(
        f"{TYPE}\0".encode() in files.readable(os.path.join(path, "mime", "mime.cache")) for path in data_directories
    )


_ENDS = ("\n", "\r")
_DIRECTORIES = ("/bin", "/usr/bin", "/usr/local/bin")


def _usual(name: str) -> list[str]:
    """Return the commands that start the program of that name on any machine."""
    by_env = [f"{one}/env{gap}{name}" for one in _DIRECTORIES for gap in (" ", "\t", " -S ")]
    return [*by_env, *(f"{one}/{name}" for one in _DIRECTORIES)]


def _first_lines(commands: Iterable[str]) -> list[str]:
    """Return how files begin that these commands are to run.

    They are listed whole, since a rule cannot say that a word is in the first line: in the next one it means nothing.
    """
    return [f"#!{gap}{one}" for gap in ("", " ") for one in dict.fromkeys(commands)]


def _match(value: str, offset: str, inside: str = "") -> str:
    """Return a rule: the text `value`, beginning at a byte of `offset`, and where given one of those `inside`."""
    escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t")
    opening = f'      <match type="string" value={saxutils.quoteattr(escaped)} offset="{offset}"'
    return f"{opening}>\n{inside}      </match>\n" if inside else f"{opening}/>\n"
