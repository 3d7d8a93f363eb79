"""Put a text on the clipboard, through a program that can."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from scriptrun import process

_LIMIT = 5
"""After how many seconds a program that does not return is given up."""

_PROGRAMS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--input", "--clipboard")),
)


def program(environ: Mapping[str, str]) -> list[str]:
    """Return the command that takes a text on stdin; empty: there is none."""
    for variable, (name, *options) in _PROGRAMS:
        found = shutil.which(name, path=environ.get("PATH")) if environ.get(variable) else None
        if found:
            return [found, *options]
    return []


def put(text: str, environ: Mapping[str, str]) -> bool:
    """Put a text on the clipboard and return whether that worked."""
    quietly = ["/bin/sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh"]  # what holds the clipboard goes on in the background
    try:
        return process.exchange([*quietly, *program(environ)], environ, text.encode(), _LIMIT).status == 0
    except (OSError, process.TimeoutExpired):
        return False
