"""The commands of a distribution: programs whose first lines name the Python of the environment that they are in."""

from __future__ import annotations

import os
import sys

_LONGEST = 512 if sys.platform == "darwin" else 127
"""How long a first line may be, in bytes, that the system finds a program by."""


def split(content: bytes, python: str) -> tuple[str, bytes] | None:
    """Return the options that follow `python` in the first lines of a program, and the rest; None if it is not there.

    The first lines are those that pip writes: a shebang, or where that would be too long a shell that starts Python.
    """
    own = os.fsencode(python)
    if content.startswith(b"#!" + own):
        first, end, rest = content[len(own) + 2 :].partition(b"\n")
        return (os.fsdecode(first), rest) if end and first[:1] in (b"", b" ", b"\r") else None
    head = b"#!/bin/sh\n'''exec' " + own
    if content.startswith(head):
        options, end, rest = content[len(head) :].partition(b" \"$0\" \"$@\"\n' '''\n")
        return (os.fsdecode(options), rest) if end and b"\n" not in options else None
    return None


def join(options: str, rest: bytes, python: str) -> bytes:
    """Return a program with first lines that start it by `python` with these options."""
    own = os.fsencode(python + options)
    if b" " not in os.fsencode(python) and len(own) + 3 <= _LONGEST:
        return b"#!" + own + b"\n" + rest
    return b"#!/bin/sh\n'''exec' " + own + b" \"$0\" \"$@\"\n' '''\n" + rest
