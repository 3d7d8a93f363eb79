"""`scriptrun desktop …` on Windows: values of the registry, and shortcuts in the Start menu."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scriptrun import block, output, process, source
from scriptrun.arguments import Invocation
from scriptrun.desktop import application
from scriptrun.desktop.windows import console, shell, shortcut
from scriptrun.desktop.windows.registry import Registry
from scriptrun.desktop.windows.shortcut import Shortcut
from scriptrun.errors import ScriptrunError, UsageError, escape
from scriptrun.jobs import job
from scriptrun.lint import launching

_PLACES = {"menu": "Programs", "login": "Startup", "desktop": "Desktop"}
"""Where shortcuts are, and what the user's folders are called in the registry."""

_ALSO = {"--autostart": "login", "--on-desktop": "desktop"}
"""The options that make another one."""


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
    facts = {"installed": offered, "opens": opens, "entries": sorted(_entries(registry, environ))}
    if "--json" in invocation.extra:
        output.give(json.dumps(facts, indent=2) + "\n")
        return 0
    lines = [f"{ending} files: {escape(progid) or 'nothing'}\n" for ending, progid in opens.items()]
    lines += [f"entry: {escape(path)}\n" for path in sorted(_entries(registry, environ))]
    output.give("".join([f"offered for Python files: {'yes' if offered else 'no'}\n", *lines]))
    return 0


def add(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make the shortcuts of a script. Raises ScriptrunError."""
    entry = application.asked_for(invocation)
    target, *words = _opening(environ)
    arguments = shell.command_line([*words, entry.script])
    icon = entry.icon if entry.icon.lower().endswith(".ico") else ""
    made = Shortcut(target, arguments, os.path.dirname(entry.script), entry.name, icon)
    wanted = ["menu", *(place for option, place in _ALSO.items() if option in invocation.extra)]
    registry = _registry()
    paths = [os.path.join(_folder(registry, place, environ), f"{entry.file_name}.lnk") for place in wanted]
    own = list(_ours(registry, arguments, environ))
    for path in paths:
        if os.path.exists(path) and path not in own:
            raise UsageError(f"there is another entry of that name: `{path}`", hint="give it one with --name")
    for path in own:
        os.unlink(path)
    for path in paths:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(shortcut.encode(made))
        output.note(f"made {path}")
    return 0


def remove(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the shortcuts of a script, which may have gone. Raises UsageError where there are none."""
    script = job.absolute(application.script(invocation))
    arguments = shell.command_line([*_opening(environ)[1:], script])
    found = list(_ours(_registry(), arguments, environ))
    if not found:
        raise UsageError(f"there is no entry for `{script}`", hint="`scriptrun desktop status` shows all")
    for path in found:
        os.unlink(path)
        output.note(f"removed {path}")
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
        entry = application.read(path)
        terminal, keep = entry.terminal, entry.keep
    except ScriptrunError:  # what is wrong is said by the run
        terminal, keep = not path.lower().endswith(".pyw"), "auto"
    command = [*_python(environ, window=False), path, *invocation.arguments[2:]]
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
    text = registry.text(shell.FOLDERS, _PLACES[place])
    if not text:
        raise UsageError(f"Windows does not say where the folder `{_PLACES[place]}` is")
    return shell.expand_variables(text, environ)


def _shortcuts(registry: Registry, environ: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the paths of all shortcuts where ours may be, and what is in them."""
    for place in _PLACES:
        directory = _folder(registry, place, environ)
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            if name.lower().endswith(".lnk"):
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    yield path, file.read()


def _ours(registry: Registry, arguments: str, environ: Mapping[str, str]) -> Iterator[str]:
    return (path for path, content in _shortcuts(registry, environ) if shortcut.runs(content, arguments))


def _entries(registry: Registry, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths of the shortcuts that start scriptrun."""
    mark = shell.command_line(_opening(environ)[1:]).encode("utf-16-le")
    return (path for path, content in _shortcuts(registry, environ) if mark in content)


def _for_one_user(invocation: Invocation) -> None:
    if "--system" in invocation.extra:
        raise UsageError("on Windows scripts are registered for one user", hint="leave out --system")
