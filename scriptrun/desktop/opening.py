"""Open a script as a file manager asks for it: in a terminal or without, as the script says."""

from __future__ import annotations

import os
import sys
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import NoReturn

from scriptrun import block, metadata, source
from scriptrun.desktop import command_files, programs
from scriptrun.desktop_table import Desktop
from scriptrun.errors import MetadataError, ScriptMissing, ScriptUnreadable, UsageError
from scriptrun.jobs import job
from scriptrun.metadata import ScriptMetadata
from scriptrun.source import Source

KEEP = {None: "auto", True: "always", False: "never"}
"""What `scriptrun-attend` takes for each value of `keep-open`."""


def located(word: str) -> str:
    """Return the absolute path that a word means: a path, or a URL `file:`.

    Raises UsageError for another URL, ScriptMissing, and ScriptUnreadable for a directory.
    """
    path = word
    if "://" in word and not os.path.lexists(word):
        parts = urllib.parse.urlsplit(word)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise UsageError(f"`{word.partition('?')[0]}` is not on this computer", hint="save it as a file")
        path = os.fsdecode(urllib.parse.unquote_to_bytes(word.partition("://")[2].removeprefix(parts.netloc)))
    if not os.path.exists(path):
        raise ScriptMissing(f"no such file: `{path}`")
    if os.path.isdir(path):
        raise ScriptUnreadable(f"`{path}` is a directory, not a script")
    return job.absolute(path)


def become(path: str, words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become what attends the script at `path`, with `words` as its arguments. Raises ScriptrunError."""
    program = source.read(path)
    desktop = _declared(program).desktop
    attend = programs.attend(environ)
    command = [attend, *mode(desktop, path), path, *words]
    if sys.platform == "darwin" and command[1] == "new-terminal":
        command = command_files.opened([attend, "terminal", *command[2:]])
    os.execve(command[0], command, dict(environ))  # noqa: S606 - the purpose


def mode(desktop: Desktop, path: str) -> tuple[str, str]:
    """Return the first words for `scriptrun-attend`: whether the script gets a terminal, and whether that stays."""
    return "new-terminal" if desktop.in_terminal(path) else "window", KEEP[desktop.keep_open]


def _declared(program: Source) -> ScriptMetadata:
    """Return what the block says; nothing where it has a mistake, which is told where the script would run."""
    try:
        found, _ = block.cut(program.content, program.name)
        return metadata.parse(found, program.name, os.path.dirname(os.path.realpath(program.file)))
    except MetadataError:
        return ScriptMetadata()
