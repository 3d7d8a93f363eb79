"""What an entry for a script is on any desktop, before it becomes files, and what is known of one that is there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from scriptrun.desktop_table import Desktop

MENU, DESKTOP, AUTOSTART = "menu", "desktop", "autostart"
"""Where an entry can be."""

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class Application:
    """A script, by its absolute path, as an entry: `shown` is what its block and the command line say."""

    script: str
    shown: Desktop

    @property
    def name(self) -> str:
        """The name that people see."""
        return self.shown.name or readable(self.script)

    @property
    def in_terminal(self) -> bool:
        """Whether it runs in a terminal."""
        return self.shown.in_terminal(self.script)

    @property
    def file_name(self) -> str:
        """The name as every file system takes it, without an ending."""
        name = _NOT_IN_NAMES.sub("_", self.name).strip(" .") or "script"
        return f"_{name}" if _RESERVED.fullmatch(name) else name


@dataclass(frozen=True)
class Entry:
    """An entry that is there: where (MENU, …), its file, the script that it starts, and the name that people see."""

    place: str
    path: str
    script: str
    name: str


def readable(script: str) -> str:
    """Return the name of a script's file as people write names: `my_report.py` is `My report`."""
    stem = os.path.splitext(os.path.basename(script))[0]
    words = re.sub(r"[\s_-]+", " ", stem).strip() or stem
    return words[0].upper() + words[1:]
