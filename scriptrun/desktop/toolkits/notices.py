"""Notifications, and a private log: what is left where no window can be shown."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping

from scriptrun import process
from scriptrun.desktop import folders
from scriptrun.desktop.toolkits import bus
from scriptrun.desktop.toolkits.messages import Failure

SIZE = 256 << 10
"""How large a log may become, in bytes."""

OLD = 3
"""How many older logs are kept."""

_LIMIT = 10
"""After how many seconds it is not waited for any more that a notification is taken."""


def leave(failure: Failure, environ: Mapping[str, str]) -> None:
    """Keep what failed in the log, and notify of it."""
    log = keep(failure, environ)
    where = f"\n\nMore is in {log}" if log else ""
    announce(failure.title, f"{failure.sentence}{where}", environ)


def keep(failure: Failure, environ: Mapping[str, str]) -> str:
    """Add a failure to the log that only this user can read, and return its path; empty: it cannot be written."""
    path = os.path.join(folders.state_home(environ), "scriptrun", "desktop.log")
    entry = f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{failure.whole}\n\n".encode("utf-8", "backslashreplace")[-SIZE:]
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _rotate(path, len(entry))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with open(descriptor, "ab") as log:
            log.write(entry)
    except OSError:
        return ""
    return path


def announce(title: str, text: str, environ: Mapping[str, str]) -> bool:
    """Notify of something, and return whether that was taken."""
    for command in (_by_notify_send(title, text), _by_gdbus(title, text)):
        found = shutil.which(command[0], path=environ.get("PATH"))
        with contextlib.suppress(OSError, process.TimeoutExpired):
            if found and process.exchange([found, *command[1:]], environ, b"", _LIMIT).status == 0:
                return True
    return False


def _rotate(path: str, more: int) -> None:
    """Give the log another name if it would become too large; the oldest one goes."""
    if not os.path.exists(path) or os.path.getsize(path) + more <= SIZE:
        return
    names = [path, *(f"{path}.{number}" for number in range(1, OLD + 1))]
    for older, newer in reversed(list(zip(names[1:], names[:-1], strict=True))):
        with contextlib.suppress(FileNotFoundError):
            os.replace(newer, older)


def _by_notify_send(title: str, text: str) -> list[str]:
    options = ["--app-name=scriptrun", "--icon=dialog-error", "--urgency=critical"]
    body = _body(text).replace("\\", r"\\")  # it looks for escapes
    return ["notify-send", *options, "--", title, body]


def _by_gdbus(title: str, text: str) -> list[str]:
    name, path = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
    first, *others = map(bus.quoted, ("scriptrun", "dialog-error", title, _body(text)))
    arguments = [first, "0", *others, "[]", "{'urgency': <byte 2>}", "0"]
    return ["gdbus", *bus.by_gdbus(name, path, f"{name}.Notify"), *arguments]


def _body(text: str) -> str:
    """Return a text as the markup that a notification may hold."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
