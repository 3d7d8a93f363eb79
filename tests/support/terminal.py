"""Run commands at a real terminal: a pseudo-terminal, on which a user may type."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from support.user import LIMIT, User


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
    typed: Sequence[tuple[str, str]] = (),
    variables: Mapping[str, str | None] | None = None,
) -> Seen:
    """Run a command of which the descriptors `on` are a terminal of that width; other output goes to files.

    Of each pair in `typed`, the second text is typed when the first has come to the terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
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
            shown = _converse(ours, typed)
            status = process.wait(LIMIT)
        finally:
            process.kill()
            os.close(ours)
        out.seek(0)
        return Seen(status, out.read().decode(), shown.decode().replace("\r\n", "\n"))


def _converse(terminal: int, typed: Sequence[tuple[str, str]]) -> bytes:
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
            os.write(terminal, waiting.pop(0)[1].encode())
