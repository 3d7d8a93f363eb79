"""`scriptrun desktop …` on Windows: values of the registry, and shortcuts in the Start menu."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from scriptrun import block, output, paths, process, source
from scriptrun.arguments import Invocation
from scriptrun.cli import table
from scriptrun.cli.desktop import entries
from scriptrun.desktop.application import AUTOSTART, DESKTOP, MENU, Application, Entry
from scriptrun.desktop.windows import console, shell, shortcut
from scriptrun.desktop.windows.registry import Registry
from scriptrun.desktop.windows.shortcut import Shortcut
from scriptrun.desktop_table import Desktop
from scriptrun.errors import ScriptrunError, UsageError
from scriptrun.jobs import job
from scriptrun.lint import launching

_FOLDERS = {MENU: "Programs", AUTOSTART: "Startup", DESKTOP: "Desktop"}
"""Where shortcuts are: what the user's folders are called in the registry."""


def install(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Offer scriptrun for Python files, and with `--default` let it open them. Raises UsageError."""
    _for_one_user(invocation)
    _registry().install(shell.registration(_opening(environ), default="--default" in invocation.extra))
    _announce()
    return 0


def uninstall(invocation: Invocation, environ: Mapping[str, str]) -> int:  # noqa: ARG001 - as the other words
    """Take that back."""
    _for_one_user(invocation)
    _registry().uninstall()
    _announce()
    return 0


def status(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Tell what opens Python files, and which entries there are."""
    registry = _registry()
    opens = {ending: registry.opens(ending) for ending in shell.ENDINGS}
    offered = bool(registry.read(rf"{shell.CLASSES}\{shell.PROGID}"))
    found = [entries.described(one) for one in _entries(registry, environ)]
    if "--json" in invocation.extra:
        output.give(json.dumps({"installed": offered, "opens": opens, "entries": found}, indent=2) + "\n")
        return 0
    rows = [("offered for Python files", "yes" if offered else "no")]
    rows += [(f"{ending} files open with", progid or "nothing") for ending, progid in opens.items()]
    rows += [entries.row(one) for one in found]
    output.give(table.lay_out((), rows, (1,)))
    return 0


def add(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make the shortcuts of a script. Raises ScriptrunError."""
    asked = entries.asked_for(invocation, shell.PICTURES)
    target, *words = _opening(environ)
    arguments = shell.command_line([*words, asked.script])
    made = Shortcut(target, arguments, os.path.dirname(asked.script), asked.name, asked.shown.icon)
    registry, places = _registry(), entries.wanted(invocation)
    files = [os.path.join(_folder(registry, place, environ), f"{asked.file_name}.lnk") for place in places]
    own = [one.path for one in _entries(registry, environ) if one.script == asked.script]
    for path in files:
        if os.path.exists(path) and path not in own:
            raise UsageError(f"there is another entry of that name: `{path}`", hint="give it one with --name")
    for path in own:
        os.unlink(path)
    for path in files:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(shortcut.encode(made))
    entries.tell_of_addition(asked.name, places, invocation)
    return 0


def remove(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the shortcuts of a script, which may have gone. Raises UsageError."""
    there = _entries(_registry(), environ)
    found = entries.meant(invocation, there)
    for one in found:
        os.unlink(one.path)
    entries.tell_of_removal(found, there, invocation)
    return 0


def open_file(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Run a script as its block says; open a file that is no script with what opened such files before."""
    if len(invocation.arguments) < 2:
        raise UsageError("`scriptrun desktop open` takes a script", hint="scriptrun desktop open SCRIPT")
    path = os.path.abspath(invocation.arguments[1])
    directory = os.path.dirname(path)
    before = "" if _is_script(path) else _registry().opened_before(os.path.splitext(path)[1].lower())
    if before:
        line = shell.expand(shell.expand_variables(before, environ), path)
        return process.wait_for(line, directory)
    try:
        asked = entries.read(path, quiet=True)
    except ScriptrunError:  # what is wrong is said by the run
        asked = Application(path, Desktop())
    command = [*_python(environ, window=False), path, *invocation.arguments[2:]]
    terminal, keep = asked.in_terminal, asked.shown.keep
    mode = "console" if terminal else "window"
    interpreter = _python(environ, window=not terminal)[0]
    return process.wait_for([interpreter, "-I", console.__file__, mode, keep, *command], directory, console=terminal)


VERBS: dict[str, Callable[[Invocation, Mapping[str, str]], int]] = {
    "add": add,
    "install": install,
    "open": open_file,
    "remove": remove,
    "status": status,
    "uninstall": uninstall,
}


def _is_script(path: str) -> bool:
    """Tell whether a file is to be run by scriptrun; what cannot be read is, so that the reason is said."""
    try:
        content = source.read(path).content
        return launching.is_ours(content) or block.cut(content, path)[0] is not None
    except ScriptrunError:
        return True


def _python(environ: Mapping[str, str], *, window: bool) -> list[str]:
    """Return the words that start scriptrun: no module beside a script and no variable changes what they load."""
    name = "pythonw.exe" if window else "python.exe"
    beside = os.path.join(os.path.dirname(sys.executable), name)
    main = os.path.join(os.path.dirname(job.program(environ)), "scriptrun-python")
    return [beside if os.path.isfile(beside) else sys.executable, "-I", "-S", main]


def _opening(environ: Mapping[str, str]) -> list[str]:
    return [*_python(environ, window=True), "desktop", "open"]


def _registry() -> Registry:
    return Registry(importlib.import_module("winreg"))  # of Windows only


def _announce() -> None:
    """Tell the shell that associations have changed (`SHChangeNotify`, SHCNE_ASSOCCHANGED)."""
    import ctypes

    libraries: Any = ctypes
    libraries.windll.shell32.SHChangeNotify(0x08000000, 0, None, None)


def _folder(registry: Registry, place: str, environ: Mapping[str, str]) -> str:
    text = registry.text(shell.FOLDERS, _FOLDERS[place])
    if not text:
        raise UsageError(f"Windows does not say where the folder `{_FOLDERS[place]}` is")
    return shell.expand_variables(text, environ)


def _entries(registry: Registry, environ: Mapping[str, str]) -> list[Entry]:
    """Return the shortcuts that start scripts."""
    start = f"{shell.command_line(_opening(environ)[1:])} "
    found = []
    for place in _FOLDERS:
        directory = _folder(registry, place, environ)
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            path = os.path.join(directory, name)
            made = shortcut.decode(paths.read(path)) if name.lower().endswith(".lnk") else None
            if made and made.arguments.startswith(start):
                script = made.arguments[len(start) :].strip('"')  # no path on Windows has quotes in it
                found.append(Entry(place, path, script, made.description))
    return found


def _for_one_user(invocation: Invocation) -> None:
    if "--system" in invocation.extra:
        raise UsageError("on Windows scripts are registered for one user", hint="leave out --system")
