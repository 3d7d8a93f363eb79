"""Look at how a script is started: its first line, its mode, and whether the launcher can answer by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from scriptrun import launch
from scriptrun.block import Block
from scriptrun.lint.findings import Finding

_SHEBANG = re.compile(rb"(\xef\xbb\xbf)?#!([^\r\n]*)(\r?)")
_OTHER_RUNNERS = frozenset(("hatch", "marimo", "nox", "pdm", "pip-run", "pipx", "pixi", "rye", "uv", "uvx"))
_OURS = ("scriptrun", "scriptrun-python")
WRITE = "the first line is to be `#!/usr/bin/env scriptrun`"
"""What to do about a first line that starts another program, or none."""


def program(source: bytes) -> str:
    """Return the name of the program that the shebang starts, behind `env` too; `""` where there is none."""
    found = _SHEBANG.match(source)
    words = found.group(2).decode("utf-8", "replace").split() if found else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return os.path.basename(words[0]) if words else ""


def is_ours(source: bytes) -> bool:
    """Tell whether the shebang is meant to start scriptrun."""
    return program(source) in _OURS


def findings(source: bytes, name: str, file: str, block: Block | None) -> Iterator[Finding]:
    """Yield what is wrong with the way a script is started; `file` is its path, `""` where it has none."""
    yield from _of_shebang(source, name)
    executable = bool(file) and os.name == "posix" and bool(os.stat(file).st_mode & 0o111)
    if executable and not _SHEBANG.match(source):
        yield Finding(name, 1, 1, "SR401", "it can be executed, and a shell would read it: it has no shebang", WRITE)
    if file and os.name == "posix" and not executable and is_ours(source):
        yield Finding(name, 1, 1, "SR405", "the file cannot be executed", "run: chmod +x FILE")
    if block is not None and launch.head(source, block) is None:
        yield Finding(name, block.first, 1, "SR406", *_slow(source))


def _of_shebang(source: bytes, name: str) -> Iterator[Finding]:
    found = _SHEBANG.match(source)
    if found is None:
        return
    started, words = program(source), found.group(2).split()
    if found.group(1):
        message = "a byte order mark stands before the shebang: the system does not see it"
        yield Finding(name, 1, 1, "SR404", message, "save the file without byte order mark")
    if found.group(3):
        column = len(found.group(2).decode("utf-8", "replace")) + 3
        message = f"a carriage return ends the shebang: the system looks for a program `{started}\\r`"
        yield Finding(name, 1, column, "SR404", message, "save the file with the line ends of Unix")
    if words[1:] and os.path.basename(words[0]) == b"env" and len(words) > 2 and not words[1].startswith(b"-"):
        message = "Linux hands all that follows `env` on as one word"
        yield Finding(name, 1, 3, "SR404", message, "write `env -S` before words that are to be several")
    if started in _OTHER_RUNNERS:
        yield Finding(name, 1, 3, "SR403", f"the shebang starts `{started}`", "")
    elif started not in _OURS:
        message = f"the shebang starts `{started}`, which does not read the block"
        yield Finding(name, 1, 3, "SR402", message, WRITE)


def _slow(source: bytes) -> tuple[str, str]:
    """Return why a shell cannot prove the block, and what to do."""
    top = source[: launch.MAX_HEAD]
    if b"\r" in top.replace(b"\r\n", b""):
        return "carriage returns end lines: the launcher cannot compare them", "save it with the line ends of Unix"
    if b"\0" in top:
        return "a NUL is among the first lines: shells drop it", "take it out"
    message = f"the block ends more than {launch.MAX_HEAD} bytes from the top: the launcher does not read so far"
    return message, "move the block up, or make it shorter"
