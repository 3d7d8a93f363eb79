"""Read `[tool.scriptrun.desktop]` of a block: how a script shows among a desktop's applications.

The keys mean what those of the freedesktop.org specification "Desktop Entry" mean that have their names.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from scriptrun import paths, values
from scriptrun.places import Path

TABLE: Path = ("tool", "scriptrun", "desktop")

PICTURES = (".png", ".svg", ".xpm", ".icns", ".ico")
"""How files with icons end, on one platform or another."""

_EXAMPLES = {"name": "My Report", "icon": "report.png"}

KEYS = ("name", "icon", "categories", "terminal", "keep-open")


class Desktop(NamedTuple):
    """What the table says; `""`, `()` and None: nothing.

    `icon` is the name of one of the icon theme's, or an absolute path. `keep_open` tells whether the terminal stays
    when the script has ended (None: if it failed, or ended within seconds). `gui` is `[tool.scriptrun] gui`.
    """

    name: str = ""
    icon: str = ""
    categories: tuple[str, ...] = ()
    terminal: bool | None = None
    keep_open: bool | None = None
    gui: bool = False

    def in_terminal(self, script: str) -> bool:
        """Tell whether the file `script` runs in a terminal: neither `gui` nor the ending `.pyw` says that it does not.

        `terminal` counts before both.
        """
        if self.terminal is not None:
            return self.terminal
        return not (self.gui or script.lower().endswith(".pyw"))

    def mode(self, script: str) -> str:
        """Return the first word for `scriptrun-attend`, that lets `script` run in a terminal or without."""
        return "new-terminal" if self.in_terminal(script) else "window"

    @property
    def keep(self) -> str:
        """The second one: what becomes of the terminal when the script has ended."""
        return {None: "auto", True: "always", False: "never"}[self.keep_open]


def read(table: object, gui: object, directory: str, reader: values.Reader) -> Desktop:
    """Return what `[tool.scriptrun.desktop]` and `[tool.scriptrun] gui` say, None where they are not there.

    Keys that are not in KEYS say nothing. A path of an icon starts at `directory`. Raises MetadataError.
    """
    found: dict[str, Any] = {}
    if gui is not None:
        found["gui"] = _truth(("tool", "scriptrun", "gui"), gui, reader)
    if table is not None and not isinstance(table, dict):
        raise reader.wrong(TABLE, table, "a table", "[tool.scriptrun.desktop]")
    for key, value in (table or {}).items():
        path = (*TABLE, key)
        if key in _EXAMPLES:
            found[key] = reader.string(path, value, f'{key} = "{_EXAMPLES[key]}"')
            values.refuse_control_characters(found[key], reader.place(*path))
        elif key == "categories":
            found[key] = tuple(reader.strings(path, value, 'categories = ["Utility"]'))
            for index, entry in enumerate(found[key]):
                values.refuse_control_characters(entry, reader.place(*path, index))
        elif key in ("terminal", "keep-open"):
            found[key.replace("-", "_")] = _truth(path, value, reader)
    if "icon" in found:
        found["icon"] = icon(found["icon"], directory)
    return Desktop(**found)


def icon(value: str, directory: str) -> str:
    """Return an icon as `Desktop` has it: what names no file, by a slash or an ending, is the icon theme's."""
    is_file = "/" in value or os.sep in value or value.lower().endswith(PICTURES)
    return paths.absolute(os.path.join(directory, value)) if is_file else value


def _truth(path: Path, value: object, reader: values.Reader) -> bool:
    if not isinstance(value, bool):
        raise reader.wrong(path, value, "true or false", f"{path[-1]} = true")
    return value
