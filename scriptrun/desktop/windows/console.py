"""Stay with a script that was started by a double click on Windows: what `attend.sh` does elsewhere.

A program of its own, which needs only the standard library: `console.py MODE KEEP COMMAND…`. MODE is
`console`, where it is in one, or `window`, where a failure is shown in one; KEEP is `auto`, `always` or `never`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

_BRIEF = 5.0
"""A console whose script ended within so many seconds stays: nobody could have read it."""

_SHOWN = 2000
"""How many characters of what a script wrote a message box holds: the last ones."""


def main(mode: str, keep: str, *command: str) -> int:
    """Run the command in the current directory and return its exit status."""
    if mode == "window":
        return window(command, _message_box)
    return console(keep, command, _wait_for_key)


def console(keep: str, command: Sequence[str], wait: Callable[[], Any]) -> int:
    """Run the command in this console, and let that stay until `wait` returns where `keep` says so."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl+C is for the script, which has the same console
    started = time.monotonic()
    status = subprocess.call(command)
    brief = time.monotonic() - started < _BRIEF
    if keep == "always" or (keep == "auto" and (status or brief)):
        sys.stdout.write(f"\n{_ending(status)} Press any key to close this window.")
        sys.stdout.flush()
        wait()
    return status


def window(command: Sequence[str], show: Callable[[str, str], Any]) -> int:
    """Run the command without a console, and `show` a title and a text where it failed."""
    with tempfile.TemporaryFile() as written:
        status = subprocess.call(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if status:
            show(os.path.basename(command[-1]), f"{_ending(status)}\n\n{_last(written)}".strip())
    return status


def _ending(status: int) -> str:
    if not status:
        return "The script has ended."
    number = hex(status) if status > 255 else str(status)  # a fault of the program has a number of Windows'
    return f"The script has failed (status {number})."


def _last(written: IO[bytes]) -> str:
    written.seek(0)
    return written.read().decode("utf-8", "replace").replace("\r\n", "\n")[-_SHOWN:].strip()


def _wait_for_key() -> None:
    import msvcrt  # of Windows only

    waiting: Any = msvcrt
    while waiting.kbhit():  # what was typed before is for the script that has gone
        waiting.getwch()
    if waiting.getwch() in "\x00\xe0":  # an arrow, or the like: two characters
        waiting.getwch()


def _message_box(title: str, text: str) -> None:
    """Show a message box, whose text Ctrl+C copies (`MessageBoxW`, MB_ICONERROR)."""
    import ctypes

    libraries: Any = ctypes
    libraries.windll.user32.MessageBoxW(None, text, title, 0x10)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
