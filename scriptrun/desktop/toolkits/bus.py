"""Ask programs on the session bus, through a program that can: `gdbus` or `dbus-send`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

from scriptrun import process

_LIMIT = 3
"""After how many seconds an answer is not waited for any more."""

_Argument = str | bool


def call(environ: Mapping[str, str], name: str, path: str, method: str, *arguments: _Argument) -> str:
    """Return what a method answers, as a text; empty where there is no answer."""
    asking = command(environ, name, path, method, *arguments)
    try:
        finished = process.exchange(asking, environ, b"", _LIMIT) if asking else None
    except (OSError, process.TimeoutExpired):
        return ""
    return finished.output.decode("utf-8", "replace") if finished and finished.status == 0 else ""


def command(environ: Mapping[str, str], name: str, path: str, method: str, *arguments: _Argument) -> list[str]:
    """Return the command that calls a method; empty: no program can."""
    for program, spell, quote in _PROGRAMS:
        found = shutil.which(program, path=environ.get("PATH"))
        if found:
            return [found, *spell(name, path, method), *map(quote, arguments)]
    return []


def has(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a program of this name is on the bus; none is started for that."""
    bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner")
    return "true" in call(environ, *bus, name)


def by_gdbus(name: str, path: str, method: str) -> list[str]:
    """Return the words after `gdbus` that call a method; what follows them are its arguments."""
    return ["call", "--session", "--dest", name, "--object-path", path, "--method", method, "--"]


def _by_dbus_send(name: str, path: str, method: str) -> list[str]:
    return ["--session", "--print-reply=literal", f"--dest={name}", path, method]


def quoted(text: str) -> str:
    """Return a text as `gdbus` has it: in GVariant's text format."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _for_gdbus(argument: _Argument) -> str:
    if isinstance(argument, bool):
        return str(argument).lower()
    return quoted(argument)


def _for_dbus_send(argument: _Argument) -> str:
    return f"boolean:{argument}".lower() if isinstance(argument, bool) else f"string:{argument}"


_PROGRAMS: tuple[tuple[str, Callable[[str, str, str], list[str]], Callable[[_Argument], str]], ...] = (
    ("gdbus", by_gdbus, _for_gdbus),
    ("dbus-send", _by_dbus_send, _for_dbus_send),
)
