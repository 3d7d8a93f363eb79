"""Run a command in the terminal that somebody on macOS uses: whatever opens files that end with `.command`.

Nothing is asked of the terminal itself, so macOS asks nobody whether scriptrun may control it.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Sequence


def program(line: str) -> bytes:
    """Return a program of one line."""
    return f"#!/bin/sh\n{line}\n".encode("utf-8", "surrogateescape")


def once(words: Sequence[str]) -> bytes:
    """Return a program that runs a command and is gone then, with the directory that it is in."""
    return program(f'rm -f -- "$0"; rmdir -- "${{0%/*}}"; exec {shlex.join(words)}')


def opened(words: Sequence[str]) -> list[str]:
    """Return a command that lets a terminal run these words, once; the file for it is made, and nobody else's."""
    path = os.path.join(tempfile.mkdtemp(prefix="scriptrun-"), "run.command")
    with open(path, "wb") as file:
        file.write(once(words))
    os.chmod(path, 0o700)
    return ["/usr/bin/open", path]
