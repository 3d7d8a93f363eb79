"""What makes scriptrun an application that opens files: its entry, its icons and the MIME type, as files."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from importlib import resources

from scriptrun.desktop import associations, entry, folders, mime_type, programs
from scriptrun.desktop.associations import Session
from scriptrun.errors import UsageError
from scriptrun.jobs import obstacles
from scriptrun.jobs.obstacles import Need

NAME = "scriptrun.desktop"

ICON = "icons/hicolor/scalable/apps/scriptrun.svg"
"""Where scriptrun's own icon is, below a directory of data."""

_ICONS = {
    "scriptrun.svg": ICON,
    "script.svg": f"icons/hicolor/scalable/mimetypes/{mime_type.TYPE.replace('/', '-')}.svg",
}


def files(environ: Mapping[str, str]) -> dict[str, bytes]:
    """Return what each file below a directory of data holds. Raises UsageError."""
    icons = resources.files("scriptrun.desktop").joinpath("icons")
    return {
        "mime/packages/scriptrun.xml": mime_type.xml().encode(),
        f"applications/{NAME}": os.fsencode(_entry(programs.scriptrun(environ))),
        **{place: icons.joinpath(name).read_bytes() for name, place in _ICONS.items()},
    }


def refuse_private(environ: Mapping[str, str]) -> None:
    """Raise UsageError where other users cannot run scriptrun."""
    needs = (
        *obstacles.installation(programs.scriptrun(environ)),
        Need("scriptrun-attend", programs.attend(environ), 0o005),
    )
    for need, barrier in obstacles.barriers(needs, owner=-1):
        raise UsageError(
            f"others cannot use `{need.path}`: `{barrier}` is closed to them",
            hint="install scriptrun where everybody can read it, as docs/desktop.md shows, and call that one",
        )


def program(session: Session) -> str:
    """Return the program that the entry of that session starts, `""`: there is no entry."""
    with contextlib.suppress(KeyError, ValueError):
        *_, command, _, _, _ = shlex.split(associations.entry(session, NAME)["Exec"])
        return command.replace("%%", "%")
    return ""


def data_directory(environ: Mapping[str, str], *, system: bool) -> str:
    """Return where the files are, of the machine or the user."""
    return "/usr/local/share" if system else folders.data_home(environ)


def _entry(command: str) -> str:
    return entry.text(
        {
            "Type": "Application",
            "Name": "Run Script",
            "GenericName": "Python Script Runner",
            "Comment": "Open a Python script like an application, with all that it needs",
            "Icon": "scriptrun",
            "Exec": entry.command([command, "desktop", "open"], "%f"),
            "Terminal": "false",
            "StartupNotify": "false",
            "MimeType": [mime_type.TYPE],
            "Categories": ["Utility"],
        }
    )
