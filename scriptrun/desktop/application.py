"""What an entry for a script is on any desktop, before it becomes files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from scriptrun import block, metadata, source
from scriptrun.arguments import Invocation
from scriptrun.desktop import opening
from scriptrun.desktop.freedesktop import menu
from scriptrun.errors import UsageError
from scriptrun.jobs import job

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class Application:
    """A script as an entry: the name that is shown, the absolute path, how it runs.

    `terminal` tells whether it runs in one, `keep` whether that stays: `auto`, `always` or `never`. `icon` is the
    path of a picture, `""`: there is none.
    """

    name: str
    script: str
    terminal: bool
    keep: str = "auto"
    icon: str = ""

    @property
    def file_name(self) -> str:
        """The name as every file system takes it, without an ending."""
        name = _NOT_IN_NAMES.sub("_", self.name).strip(" .") or "script"
        return f"_{name}" if _RESERVED.fullmatch(name) else name


def script(invocation: Invocation) -> str:
    """Return the script that `desktop add` or `desktop remove` is about. Raises UsageError."""
    verb, *words = invocation.arguments
    if len(words) != 1:
        raise UsageError(f"`scriptrun desktop {verb}` takes one script", hint=f"scriptrun desktop {verb} SCRIPT")
    return words[0]


def asked_for(invocation: Invocation) -> Application:
    """Return the entry that `desktop add` asks for. Raises what `read` does, and UsageError."""
    return read(script(invocation), invocation.extra.get("--name", ""), invocation.extra.get("--icon", ""))


def read(file: str, name: str = "", icon: str = "") -> Application:
    """Return the entry for a script, from its block; `name` and `icon` count before what that says.

    Raises UsageError, ScriptMissing, ScriptUnreadable and MetadataError.
    """
    path = job.absolute(file)
    job.require(path)
    directory = os.path.dirname(path)
    found, _ = block.cut(source.read(path).content, file)
    desktop = metadata.parse(found, file, directory).desktop
    picture = os.path.abspath(icon) if icon else os.path.join(directory, desktop.icon) if desktop.icon else ""
    if picture.lower().endswith((".icns", ".ico")) and not os.path.isfile(picture):
        raise UsageError(f"there is no icon `{picture}`")
    keep = opening.KEEP[desktop.keep_open]
    return Application(name or desktop.name or menu.readable(path), path, desktop.in_terminal(path), keep, picture)
