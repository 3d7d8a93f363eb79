"""Run commands at a real terminal: a pseudo-terminal, on which a user may type."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from support.user import LIMIT, User

Act = Callable[[int, int], object]
"""What is done while a command runs, told its process and the terminal."""


class Seen(NamedTuple):
    """How a command ended: status, what it wrote to stdout where that is no terminal, what came to the terminal."""

    status: int
    out: str
    shown: str


def run(
    user: User,
    *command: str,
    on: Sequence[int] = (0, 1, 2),
    columns: int = 80,
    typed: Sequence[tuple[str, str | Act]] = (),
    variables: Mapping[str, str | None] | None = None,
) -> Seen:
    """Run a command of which the descriptors `on` are a terminal of that width; other output goes to files.

    Of each pair in `typed`, the second text is typed, or the act done, when the first has come to the terminal.
    """
    ours, theirs = pty.openpty()
    resize(theirs, columns)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        elsewhere = (subprocess.DEVNULL, out, err)
        stdin, stdout, stderr = (theirs if number in on else elsewhere[number] for number in range(3))
        process = subprocess.Popen(
            command,
            env=user.environment(variables),
            cwd=user.directory,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - ^C is its business now
        )
        os.close(theirs)
        try:
            shown = _converse(ours, process.pid, typed)
            status = process.wait(LIMIT)
        finally:
            process.kill()
            os.close(ours)
        out.seek(0)
        return Seen(status, out.read().decode(), shown.decode().replace("\r\n", "\n"))


def resize(terminal: int, columns: int, lines: int = 24) -> None:
    """Give a terminal another size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def screen(shown: str) -> list[str]:
    """Return the lines that stand on a terminal, which is wide enough, in the end, up to that with the cursor."""
    lines, row, column = [""], 0, 0
    for erase, up, other, text in re.findall(r"(\x1b\[2?K)|\x1b\[(\d+)A|(\x1b\[[0-9;?]*[a-zA-Z])|([^\x1b])", shown):
        if erase:
            lines[row] = "" if "2" in erase else lines[row][:column]
        elif up:
            row = max(row - int(up), 0)
        elif text == "\r":
            column = 0
        elif text == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + 1 :]
            column += 1
        else:
            assert re.fullmatch(r"\x1b\[[0-9;]*m", other), f"what does {other!r} do?"
    return lines[: row + 1]


def _converse(terminal: int, process: int, typed: Sequence[tuple[str, str | Act]]) -> bytes:
    """Return all that comes to the terminal, until nobody has its other end any more."""
    shown = b""
    said = 0
    waiting = list(typed)
    while True:
        assert select.select([terminal], [], [], LIMIT)[0], f"nothing more came after: {shown!r}"
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says so when nobody has the other end any more
            chunk = b""
        if not chunk:
            assert waiting == [], f"this never came: {waiting[0][0]!r}, but {shown!r}"
            return shown
        shown += chunk
        while waiting and (at := shown.find(waiting[0][0].encode(), said)) >= 0:
            said = at + len(waiting[0][0].encode())
            act = waiting.pop(0)[1]
            if isinstance(act, str):
                os.write(terminal, act.encode())
            else:
                act(process, terminal)
