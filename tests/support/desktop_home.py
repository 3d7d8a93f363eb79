"""A user's desktop as files: applications that open things, and what programs say about it. It needs no display."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from support import everybody
from support.user import User

TYPE = "application/x-scriptrun"
HANDLER = "scriptrun.desktop"


def require() -> None:
    """Skip the test where the programs that desktops are asked by are missing, in CI fail."""
    everybody.require_programs("shared-mime-info", "update-mime-database")
    everybody.require_programs("desktop-file-utils", "update-desktop-database", "desktop-file-validate")
    everybody.require_programs("libglib2.0-bin", "gio")
    everybody.require_programs("xdg-utils", "xdg-mime")


class DesktopHome:
    """What the desktop of a user says, on a machine whose applications are those of a directory of the test's own.

    That one is the only directory of `XDG_DATA_DIRS`; the MIME types in it are this machine's.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self.machine = user.home.parent / "machine"
        (self.machine / "applications").mkdir(parents=True)
        (self.machine / "xdg").mkdir()
        (self.machine / "mime").symlink_to("/usr/share/mime")
        user.variables.update(XDG_DATA_DIRS=str(self.machine), XDG_CONFIG_DIRS=str(self.machine / "xdg"))

    def application(self, name: str, *types: str, directory: Path | None = None) -> None:
        """Install an application that can open these types, by default for everybody."""
        applications = directory or self.machine / "applications"
        applications.mkdir(parents=True, exist_ok=True)
        text = f"[Desktop Entry]\nType=Application\nName={name.title()}\nExec=true %f\nMimeType={';'.join(types)};\n"
        (applications / f"{name}.desktop").write_text(text)
        finished = self.user.run("update-desktop-database", applications)
        assert (finished.status, finished.err) == (0, "")

    def scriptrun(self, *words: str, **variables: Any) -> None:
        """Run `scriptrun desktop …`, which must succeed."""
        finished = self.user.run("scriptrun", "desktop", *words, **variables)
        assert (finished.status, finished.out) == (0, ""), finished

    def status(self, **variables: Any) -> dict[str, Any]:
        """Return what `scriptrun desktop status --json` says."""
        finished = self.user.run("scriptrun", "desktop", "status", "--json", **variables)
        assert (finished.status, finished.err) == (0, ""), finished
        facts: dict[str, Any] = json.loads(finished.out)
        return facts

    def gio_default(self, type_: str, **variables: Any) -> str | None:
        """Return the application that GIO opens files of a type with."""
        out = self.user.run("gio", "mime", type_, LC_ALL="C", **variables).out
        found = re.match(r"Default application for .*: (\S+)$", out, re.MULTILINE)
        return found[1] if found else None

    def gio_offers(self, type_: str) -> list[str]:
        """Return all applications that GIO offers for files of a type."""
        out = self.user.run("gio", "mime", type_, LC_ALL="C").out
        return re.findall(r"^\t(\S+)$", out.partition("Recommended")[0], re.MULTILINE)

    def xdg_default(self, type_: str, **variables: Any) -> str | None:
        """Return the application that `xdg-mime` names for a type."""
        return self.user.run("xdg-mime", "query", "default", type_, **variables).out.strip() or None

    def types(self, *files: Path) -> list[str]:
        """Return the types of files, as GIO tells them by name and content."""
        out = self.user.run("gio", "info", "-a", "standard::content-type", *files).out
        return re.findall(r"standard::content-type: (\S+)", out)


def everything(home: Path) -> dict[str, str]:
    """Return all that is below a home: directories, links, and files with mode and content."""
    found = {}
    for directory, below, names in os.walk(home):
        for path in (Path(directory, name) for name in (*below, *names)):
            key = str(path.relative_to(home))
            if key.split("/", maxsplit=1)[0] == ".cache":  # scriptrun's own, whatever it does
                continue
            if path.is_symlink():
                found[key] = f"-> {path.readlink()}"
            elif path.is_dir():
                found[key] = f"directory {path.stat().st_mode:o}"
            else:
                found[key] = f"{path.stat().st_mode:o} {base64.b64encode(path.read_bytes()).decode()}"
    return found
