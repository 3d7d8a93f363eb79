"""Who attends this process: `scriptrun-attend`, where somebody runs a script who has typed no command.

It says so in SCRIPTRUN_ATTENDED: its process, whether there is a terminal, and the file for what it must know of one.
As the process is named, what the script starts is not meant.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from typing import NamedTuple

from scriptrun.launch import ATTENDED


class Attendant(NamedTuple):
    """The process, and the file for the time at which the script begins: `""` where there is no terminal."""

    process: int
    terminal: bool
    began: str

    def begun(self) -> None:
        """Say that the script begins now, where it had to be prepared: the time before does not count as its own."""
        if self.terminal:
            with contextlib.suppress(OSError):  # on a full disk the time before counts
                descriptor = os.open(
                    self.began, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600
                )
                with open(descriptor, "wb") as file:
                    file.write(f"{self.process} {int(time.time())}\n".encode("ascii"))

    def told(self) -> None:
        """Say that the user knows of the failure that this process is going to end with; this takes no room on disk."""
        if hasattr(signal, "SIGUSR1"):
            with contextlib.suppress(OSError):
                os.kill(self.process, signal.SIGUSR1)


def find(environ: Mapping[str, str]) -> Attendant | None:
    """Return who attends this process, None where nobody does."""
    process, mode, began = (*environ.get(ATTENDED, "").split(" ", 2), "", "", "")[:3]
    terminal = mode == "terminal" and os.path.isabs(began)
    if process != str(os.getppid()) or not (terminal or (mode, began) == ("window", "")):
        return None
    return Attendant(int(process), terminal, began)
