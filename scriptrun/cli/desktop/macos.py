"""`scriptrun desktop …` on macOS: application bundles in `~/Applications`."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from scriptrun import output, process
from scriptrun.arguments import Invocation
from scriptrun.desktop import application, folders, programs
from scriptrun.desktop.macos import bundles
from scriptrun.desktop.macos.bundles import File
from scriptrun.errors import ScriptrunError, UsageError, escape
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
    path = _handler(invocation, environ)
    installed = _properties(path).get("CFBundleIdentifier") == bundles.HANDLER
    entries = {one: script for one, script in _bundles(environ) if script}
    if "--json" in invocation.extra:
        output.give(json.dumps({"installed": installed, "entries": entries}, indent=2) + "\n")
        return 0
    lines = [f"entry: {escape(one)} for {escape(script)}\n" for one, script in entries.items()]
    output.give("".join([f"offered for Python files: {'yes' if installed else 'no'}\n", *lines]))
    return 0


def add(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make the application of a script. Raises ScriptrunError."""
    entry = application.asked_for(invocation)
    icon = b""
    if entry.icon.lower().endswith(".icns"):
        with open(entry.icon, "rb") as file:
            icon = file.read()
    path = os.path.join(_applications(environ), f"{entry.file_name}.app")
    own = [one for one, script in _bundles(environ) if script == entry.script]
    if os.path.lexists(path) and path not in own:
        raise UsageError(f"there is another application of that name: `{path}`", hint="give it one with --name")
    _remove(entry.script, environ)
    for name, made in bundles.bundle(entry, programs.attend(environ), icon).items():
        _write(os.path.join(path, name), made)
    if "--autostart" in invocation.extra:
        _write(_agent(entry.script, environ), File(bundles.agent(entry, path)))
    if "--on-desktop" in invocation.extra:
        os.makedirs(_desktop(environ), exist_ok=True)
        os.symlink(path, os.path.join(_desktop(environ), os.path.basename(path)))
    _announce(path, environ)
    output.note(f"made {path}")
    return 0


def remove(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the application of a script, which may have gone. Raises UsageError where there is none."""
    script = job.absolute(application.script(invocation))
    found = _remove(script, environ)
    if not found:
        raise UsageError(f"there is no entry for `{script}`", hint="`scriptrun desktop status` shows all")
    for path in found:
        output.note(f"removed {path}")
    return 0


VERBS: dict[str, Callable[[Invocation, Mapping[str, str]], int]] = {
    "add": add,
    "install": install,
    "remove": remove,
    "status": status,
    "uninstall": uninstall,
}


def _remove(script: str, environ: Mapping[str, str]) -> list[str]:
    """Remove all that belongs to a script, and return the paths of its applications."""
    found = [path for path, owner in _bundles(environ) if owner == script]
    for path in found:
        link = os.path.join(_desktop(environ), os.path.basename(path))
        if os.path.islink(link) and os.readlink(link) == path:
            os.unlink(link)
        shutil.rmtree(path)
    with suppress(FileNotFoundError):
        os.unlink(_agent(script, environ))
    return found


def _bundles(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the applications of this user, each with the script that it is for (`""`: it is none of ours)."""
    directory = _applications(environ)
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        if name.endswith(".app"):
            path = os.path.join(directory, name)
            yield path, str(_properties(path).get(bundles.OWNER, ""))


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
