"""`scriptrun desktop …` on macOS: application bundles in `~/Applications`."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from scriptrun import output, paths, process
from scriptrun.arguments import Invocation
from scriptrun.cli import table
from scriptrun.cli.desktop import entries
from scriptrun.desktop import folders, programs
from scriptrun.desktop.application import AUTOSTART, DESKTOP, MENU, Entry
from scriptrun.desktop.macos import bundles
from scriptrun.desktop.macos.bundles import File
from scriptrun.errors import ScriptrunError, UsageError
from scriptrun.jobs import job

_LIMIT = 60.0
"""After how many seconds a program of macOS is given up."""


def install(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make the application that opens scripts. Raises UsageError, and ScriptrunError where a program fails."""
    if "--default" in invocation.extra:
        raise UsageError(
            "macOS tells files by their ending alone, so the default for scripts would be the one for all Python files",
            hint="for one file: Get Info in the Finder, then `Open with`",
        )
    path = _handler(invocation, environ)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path), prefix=".scriptrun-") as directory:
        source, made = os.path.join(directory, "handler.applescript"), os.path.join(directory, "made.app")
        with open(source, "w", encoding="utf-8") as file:
            file.write(bundles.handler(job.program(environ)))
        _must(bundles.compilation(source, made), environ)
        properties = os.path.join(made, "Contents", "Info.plist")
        _write(properties, File(bundles.handler_properties(_properties(made))))
        _must(bundles.signature(made), environ)
        shutil.rmtree(path, ignore_errors=True)
        os.rename(made, path)
    _announce(path, environ)
    return 0


def uninstall(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove that application; Launch Services forgets what is not there."""
    path = _handler(invocation, environ)
    if _properties(path).get("CFBundleIdentifier") == bundles.HANDLER:
        shutil.rmtree(path)
    return 0


def status(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Tell whether there is an application that opens scripts, and which entries there are."""
    installed = _properties(_handler(invocation, environ)).get("CFBundleIdentifier") == bundles.HANDLER
    found = [entries.described(one) for one in _entries(environ)]
    if "--json" in invocation.extra:
        output.give(json.dumps({"installed": installed, "entries": found}, indent=2) + "\n")
    else:
        rows = [("offered for Python files", "yes" if installed else "no"), *map(entries.row, found)]
        output.give(table.lay_out((), rows, (1,)))
    return 0


def add(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make the application of a script. Raises ScriptrunError."""
    asked = entries.asked_for(invocation, bundles.PICTURES)
    icon = paths.read(asked.shown.icon) if asked.shown.icon else b""
    path = os.path.join(_applications(environ), f"{asked.file_name}.app")
    own = [one.path for one in _entries(environ) if one.script == asked.script]
    if os.path.lexists(path) and path not in own:
        raise UsageError(f"there is another application of that name: `{path}`", hint="give it one with --name")
    attend, places = programs.attend(environ), entries.wanted(invocation)
    _remove(asked.script, environ)
    for name, made in bundles.bundle(asked, attend, icon).items():
        _write(os.path.join(path, name), made)
    if AUTOSTART in places:
        _write(_agent(asked.script, environ), File(bundles.agent(asked, path)))
    if DESKTOP in places:
        os.makedirs(_desktop(environ), exist_ok=True)
        os.symlink(path, os.path.join(_desktop(environ), os.path.basename(path)))
    _announce(path, environ)
    entries.tell_of_addition(asked.name, places, invocation)
    return 0


def remove(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the application of a script, which may have gone, and what starts it. Raises UsageError."""
    there = _entries(environ)
    found = entries.meant(invocation, there)
    for script in {one.script for one in found} or {job.absolute(invocation.arguments[1])}:
        _remove(script, environ)
    entries.tell_of_removal(found, there, invocation)
    return 0


VERBS: dict[str, Callable[[Invocation, Mapping[str, str]], int]] = {
    "add": add,
    "install": install,
    "remove": remove,
    "status": status,
    "uninstall": uninstall,
}


def _remove(script: str, environ: Mapping[str, str]) -> None:
    """Remove all that belongs to a script, also what is left of an application that somebody has thrown away."""
    for one in _entries(environ):
        if one.script == script and one.place == MENU:
            shutil.rmtree(one.path)
        elif one.script == script:
            os.unlink(one.path)
    with suppress(FileNotFoundError):
        os.unlink(_agent(script, environ))


def _entries(environ: Mapping[str, str]) -> list[Entry]:
    """Return the applications of scripts, links to them on the desktop, and what opens them after the login."""
    directory = _applications(environ)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        properties = _properties(path)
        script, shown = (str(properties.get(key, "")) for key in (bundles.OWNER, "CFBundleDisplayName"))
        link, agent = os.path.join(_desktop(environ), name), _agent(script, environ)
        if script:
            found.append(Entry(MENU, path, script, shown))
        if script and os.path.islink(link) and os.readlink(link) == path:
            found.append(Entry(DESKTOP, link, script, shown))
        if script and os.path.isfile(agent):
            found.append(Entry(AUTOSTART, agent, script, shown))
    return found


def _properties(path: str) -> dict[str, Any]:
    """Return the property list of a bundle, an empty one where it has none that can be read."""
    try:
        with open(os.path.join(path, "Contents", "Info.plist"), "rb") as file:
            read: dict[str, Any] = plistlib.load(file)
    except (OSError, ValueError, plistlib.InvalidFileException):
        return {}
    return read


def _write(path: str, file: File) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as opened:
        opened.write(file.content)
    os.chmod(path, file.mode)


def _handler(invocation: Invocation, environ: Mapping[str, str]) -> str:
    directory = "/Applications" if "--system" in invocation.extra else _applications(environ)
    return os.path.join(directory, "Run Script.app")


def _applications(environ: Mapping[str, str]) -> str:
    return os.path.join(folders.home(environ), "Applications")


def _desktop(environ: Mapping[str, str]) -> str:
    return os.path.join(folders.home(environ), "Desktop")


def _agent(script: str, environ: Mapping[str, str]) -> str:
    name = f"{bundles.identifier(script)}.plist"
    return os.path.join(folders.home(environ), "Library", "LaunchAgents", name)


def _must(command: list[str], environ: Mapping[str, str]) -> None:
    """Run a program of macOS. Raises ScriptrunError where it fails."""
    name = os.path.basename(command[0])
    try:
        finished = process.run(command, environment=environ, directory="/", timeout=_LIMIT)
    except (OSError, process.TimeoutExpired) as error:
        raise ScriptrunError(f"`{name}` of macOS cannot be run: {error}") from None
    if finished.status:
        raise ScriptrunError(
            f"`{name}` of macOS failed with status {finished.status}", details=finished.output.rstrip()
        )


def _announce(path: str, environ: Mapping[str, str]) -> None:
    """Tell Launch Services of an application now; where that fails, it finds it by itself, later."""
    with suppress(ScriptrunError):
        _must(bundles.announcement(path), environ)
