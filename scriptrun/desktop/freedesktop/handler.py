"""What makes scriptrun an application that opens files: its entry, its icons and the MIME type, as files."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping

from scriptrun import paths
from scriptrun.desktop import folders, programs
from scriptrun.desktop.freedesktop import associations, entry, mime_type
from scriptrun.desktop.freedesktop.associations import Session
from scriptrun.errors import UsageError
from scriptrun.jobs import job, obstacles
from scriptrun.jobs.obstacles import Need

NAME = "scriptrun.desktop"

ICON = "icons/hicolor/scalable/apps/scriptrun.svg"
"""Where scriptrun's own icon is, below a directory of data."""

_ICONS = {
    "scriptrun.svg": ICON,
    "script.svg": f"icons/hicolor/scalable/mimetypes/{mime_type.TYPE.replace('/', '-')}.svg",
}

_PACKAGE, _ENTRY = "mime/packages/scriptrun.xml", f"applications/{NAME}"

PLACES = (_PACKAGE, _ENTRY, *_ICONS.values())
"""Where the files are, below a directory of data."""


def files(environ: Mapping[str, str]) -> dict[str, bytes]:
    """Return what each file below a directory of data holds. Raises UsageError."""
    return {
        _PACKAGE: mime_type.xml().encode(),
        _ENTRY: os.fsencode(_text(job.program(environ))),
        **{place: paths.read(drawing(name)) for name, place in _ICONS.items()},
    }


def drawing(name: str) -> str:
    """Return the path of one of scriptrun's icons."""
    return os.path.join(os.path.dirname(folders.__file__), "icons", name)


def refuse_private(environ: Mapping[str, str]) -> None:
    """Raise UsageError where other users cannot run scriptrun."""
    needs = (
        *obstacles.installation(job.program(environ)),
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


def _text(command: str) -> str:
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
