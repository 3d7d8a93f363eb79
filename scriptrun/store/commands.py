"""The commands of a distribution: programs whose first lines name the Python of the environment that they are in."""

import os
import sys

_LONGEST = 512 if sys.platform == "darwin" else 127
"""How long a first line may be, in bytes, that the system finds a program by."""


def split(content: bytes, python: str) -> bytes | None:
    """Return a program without its first lines, which start it by `python`; None if they do not.

    They are those that pip writes: a shebang, or where that would not do, a shell that starts Python.
    """
    own = os.fsencode(python)
    for head in (_plain(own), _by_shell(own)):
        if content.startswith(head):
            return content[len(head) :]
    return None


def join(rest: bytes, python: str) -> bytes:
    """Return a program with first lines that start it by `python`.

    pip writes them so for the commands that it makes. Before a script that a distribution brings along, it writes a
    shebang in any case, which the system cannot always follow.
    """
    own = os.fsencode(python)
    head = _plain(own)
    return (head if b" " not in own and len(head) <= _LONGEST else _by_shell(own)) + rest


def _plain(python: bytes) -> bytes:
    return b"#!" + python + b"\n"


def _by_shell(python: bytes) -> bytes:
    quoted = b'"' + python + b'"' if b" " in python else python
    return b"#!/bin/sh\n'''exec' " + quoted + b" \"$0\" \"$@\"\n' '''\n"
