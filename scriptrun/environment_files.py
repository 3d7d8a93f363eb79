"""Read variables for the script from files of `NAME=VALUE` lines (`--env-file`)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence

from dotenv import main as dotenv
from dotenv import parser

from scriptrun import output, places
from scriptrun.errors import MetadataError, ScriptrunError, UsageError
from scriptrun.request import Request


def extend(environ: Mapping[str, str], request: Request, files: Sequence[str]) -> dict[str, str]:
    """Return `environ` with the variables that are in `files` and not in it; of two files the later one counts.

    Relative names start at the directory of the program. Raises ScriptrunError for a file that cannot be read.
    """
    pairs = [pair for file in files for pair in _pairs(request, file)]
    values = dotenv.resolve_variables(pairs, override=False)  # `${NAME}`: the environment's own, or of a line above
    return {**{name: value for name, value in values.items() if value is not None}, **environ}


def _pairs(request: Request, file: str) -> Iterator[tuple[str, str | None]]:
    """Yield names and values of a file, and warn of lines that are neither."""
    path = os.path.join(request.directory, file)
    for binding in parser.parse_stream(io.StringIO(_text(request, file, path))):
        blank = binding.original.string[: -len(binding.original.string.lstrip()) or None].count("\n")
        place = f"{path}:{binding.original.line + blank}"
        if binding.error:
            if not request.invocation.options.flag("quiet"):
                output.warn("this is not NAME=VALUE; it is ignored", "", place)
        elif binding.key is not None:
            if "\0" in binding.key + (binding.value or ""):
                raise ScriptrunError("a variable cannot hold a NUL", place=place)
            yield binding.key, binding.value


def _text(request: Request, file: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as content:
            return content.read()
    except UnicodeDecodeError as error:
        raise ScriptrunError(f"not UTF-8: {error.reason}", place=path) from None
    except OSError as error:
        message = f"the file of variables `{path}` cannot be read: {error.strerror}"
    place = _place(request, file)
    if place:
        raise MetadataError(message, place=place)
    raise UsageError(message, hint="it is named by --env-file, SCRIPTRUN_ENV_FILE or the configuration")


def _place(request: Request, file: str) -> str:
    """Return where the block names `file`, `""` where something else than the block does."""
    block = request.block
    if block is None or request.invocation.options.many("env-file"):
        return ""
    text = block.text(request.name)
    lines = text.split("\n")
    for path, line in places.find(text).items():
        if path[:3] == ("tool", "scriptrun", "env-file") and len(path) == 4 and file in lines[line]:
            return f"{request.name}:{block.first + line + 1}"
    return ""
