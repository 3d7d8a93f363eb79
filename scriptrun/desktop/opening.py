"""Open a script as a file manager asks for it: in a terminal or without, as the script says."""

from __future__ import annotations

import os
import sys
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import NoReturn

from scriptrun import arguments, block, metadata, request, source
from scriptrun.desktop import approval, origin, programs
from scriptrun.desktop.macos import command_files
from scriptrun.errors import MetadataError, ScriptMissing, ScriptUnreadable, UsageError
from scriptrun.jobs import job
from scriptrun.metadata import ScriptMetadata
from scriptrun.source import Source


def located(word: str) -> str:
    """Return the absolute path that a word means: a path, or a URL `file:`.

    Raises UsageError for another URL, ScriptMissing, and ScriptUnreadable for what is no ordinary file.
    """
    path = word
    if ("://" in word or word.startswith("file:/")) and not os.path.lexists(word):
        parts = urllib.parse.urlsplit(word)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise UsageError(
                f"`{word.partition('?')[0]}` is not a file of this machine",
                hint="save it as one",
                reason="it is not on this computer; save it first, and open what you have saved",
            )
        path = os.fsdecode(urllib.parse.unquote_to_bytes(parts.path))
    if not os.path.exists(path):
        raise ScriptMissing(f"no such file: `{path}`")
    if os.path.isdir(path):
        reason = "it is a folder; open one of the scripts in it"
        raise ScriptUnreadable(f"`{path}` is a directory, not a script", reason=reason)
    if not os.path.isfile(path):
        raise ScriptUnreadable(f"`{path}` is no ordinary file", reason="it is no file, but something that programs use")
    return job.absolute(path)


def become(path: str, words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become what attends the script at `path`, with `words` as its arguments, if it may run.

    Raises Declined where the user says no, and any other ScriptrunError.
    """
    attend = programs.attend(environ)
    reasons = origin.reasons(path, environ)
    script = _approved(path, reasons, environ) if reasons else _declared(source.read(path))
    command = [attend, script.desktop.mode(path), script.desktop.keep, path, *words]
    if sys.platform == "darwin" and command[1] == "new-terminal":
        command = command_files.opened([attend, "terminal", *command[2:]])
    os.execve(command[0], command, dict(environ))  # noqa: S606 - the purpose


def _approved(path: str, reasons: Sequence[str], environ: Mapping[str, str]) -> ScriptMetadata:
    """Return what the block of a script says that may run, though it came from elsewhere. Raises ScriptrunError."""
    asked = request.make(arguments.script(path, arguments.Options()), environ)
    script = metadata.parse(asked.block, asked.name, asked.directory)
    approval.require(asked, script, reasons, environ)
    return script


def _declared(program: Source) -> ScriptMetadata:
    """Return what the block says; nothing where it has a mistake, which is told where the script would run."""
    try:
        found, _ = block.cut(program.content, program.name)
        return metadata.parse(found, program.name, os.path.dirname(os.path.realpath(program.file)))
    except MetadataError:
        return ScriptMetadata()
