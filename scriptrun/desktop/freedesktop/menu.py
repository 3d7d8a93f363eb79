"""Entries of scripts: in the application menu, on the desktop, and among what starts with the session.

An entry says in a key of its own which script it is for. By that it is found again, also when the script, or its name,
has gone. Entries have no MIME type, so that there is no cache of the desktop's to be brought up to date.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from scriptrun import paths, process
from scriptrun.desktop import folders
from scriptrun.desktop.freedesktop import categories, entry, handler
from scriptrun.desktop_table import Desktop
from scriptrun.editing import document
from scriptrun.errors import EditError

MENU, DESKTOP, AUTOSTART = "menu", "desktop", "autostart"
"""Where an entry can be."""

SCRIPT = "X-Scriptrun-Script"
"""The key that holds the absolute path of the script."""

_PATIENCE = 10.0
"""For how many seconds the desktop's own program may mark an entry."""


@dataclass(frozen=True)
class Entry:
    """An entry that is there: where (MENU, …), its file, the script that it starts, and the name that people see."""

    place: str
    path: str
    script: str
    name: str


def entries(environ: Mapping[str, str]) -> list[Entry]:
    """Return the user's entries of scripts, also of those that have gone."""
    return [
        Entry(place, path, fields[SCRIPT], fields.get("Name", ""))
        for place, directory in _directories(environ).items()
        for path, fields in _read_all(directory)
        if SCRIPT in fields
    ]


def text(script: str, attend: str, shown: Desktop) -> str:
    """Return the entry of the script at an absolute path, which the command `attend` starts.

    What is shown has an icon. Raises UsageError.
    """
    mode = "new-terminal" if shown.in_terminal(script) else "window"
    keep = {None: "auto", True: "always", False: "never"}[shown.keep_open]
    return entry.text(
        {
            "Type": "Application",
            SCRIPT: script,
            "Name": shown.name or readable(script),
            "Exec": entry.command((attend, mode, keep, script), "%F"),
            "Icon": shown.icon,
            "Terminal": "false",
            "Categories": categories.completed(shown.categories),
        }
    )


def icon(environ: Mapping[str, str]) -> str:
    """Return scriptrun's own icon: by its name, which outlives upgrades, where desktops know that."""
    for data in (folders.data_home(environ), *folders.data_directories(environ)):
        if os.path.isfile(os.path.join(data, handler.ICON)):
            return "scriptrun"
    return handler.drawing("scriptrun.svg")


def readable(script: str) -> str:
    """Return the name of a script's file as people write names: `my_report.py` is `My report`."""
    stem = os.path.splitext(os.path.basename(script))[0]
    words = re.sub(r"[\s_-]+", " ", stem).strip() or stem
    return words[0].upper() + words[1:]


def put(script: str, content: str, wanted: Sequence[str], environ: Mapping[str, str]) -> list[Entry]:
    """Write the entry to all places that are `wanted`, and where it is already; return what is there then.

    Raises EditError.
    """
    there = {one.path: one.place for one in entries(environ) if one.script == script}
    directories = _directories(environ)
    missing = [place for place in wanted if place not in there.values()]
    there.update({_path(directories[place], place, script, content): place for place in missing})
    for path, place in there.items():
        _write(path, content.encode())
        if place == DESKTOP:
            os.chmod(path, os.stat(path).st_mode | 0o100)
    return [one for one in entries(environ) if one.script == script]


def remove(found: Sequence[Entry]) -> None:
    """Remove entries. Raises EditError."""
    for one in found:
        try:
            with suppress(FileNotFoundError):
                os.unlink(one.path)
        except OSError as error:
            raise EditError(f"`{one.path}` cannot be removed: {error.strerror}") from None


def vouch(path: str, environ: Mapping[str, str]) -> bool:
    """Mark a file on the desktop as one that its user wants to start, for GNOME and for Xfce.

    Return False where that cannot be done, and the desktop may ask.
    """
    program = shutil.which("gio", path=environ.get("PATH", os.defpath))
    if program is None:
        return False
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    for name, value in {"trusted": "true", "xfce-exe-checksum": digest}.items():
        command = [program, "set", "-t", "string", path, f"metadata::{name}", value]
        try:
            finished = process.run(command, environment=environ, directory="/", timeout=_PATIENCE)
        except (OSError, process.TimeoutExpired):
            return False
        if finished.status != 0:
            return False
    return True


def _directories(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        MENU: os.path.join(folders.data_home(environ), "applications"),
        DESKTOP: folders.desktop(environ),
        AUTOSTART: os.path.join(folders.config_home(environ), "autostart"),
    }


def _read_all(directory: str) -> list[tuple[str, dict[str, str]]]:
    """Return the files of a directory that are entries, each with its keys."""
    found = []
    with suppress(OSError):
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if name.endswith(".desktop"):
                with suppress(OSError):
                    found.append((path, entry.read(paths.read(path).decode("utf-8", "surrogateescape"))))
    return found


def _path(directory: str, place: str, script: str, content: str) -> str:
    """Return the file of a new entry: on the desktop its name, as many file managers show no other, if that is free."""
    name = re.sub(r"[/\n\t\r]", "-", entry.read(content)["Name"])[:60].lstrip(".")
    path = os.path.join(directory, f"{name}.desktop")
    if place == DESKTOP and name and not os.path.lexists(path):
        return path
    return os.path.join(directory, _file_name(script))


def _file_name(script: str) -> str:
    """Return what the entry of a script is called, which is what desktops know it by."""
    stem = os.path.splitext(os.path.basename(script))[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40]
    digest = hashlib.sha256(os.fsencode(script)).hexdigest()[:12]
    return "-".join(part for part in ("scriptrun", slug, digest) if part) + ".desktop"


def _write(path: str, content: bytes) -> None:
    """Make a file, or replace it whole. Raises EditError."""
    try:
        paths.make_directories(os.path.dirname(path), clear=False)
    except OSError as error:
        raise EditError(f"`{os.path.dirname(path)}` cannot be made: {error.strerror}") from None
    if os.path.lexists(path):
        document.write(document.read(path), content)
    else:
        document.create(path, content, 0o644)
