"""Read variables for the script from files of `NAME=VALUE` lines (`--env-file`)."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from dotenv import main as dotenv
from dotenv import parser

from scriptrun import output, places
from scriptrun.block import Block
from scriptrun.errors import MetadataError, ScriptrunError, UsageError


def extend(
    environ: Mapping[str, str],
    files: Sequence[str],
    directory: str,
    place: Callable[[str], str],
    *,
    quiet: bool,
) -> dict[str, str]:
    """Return `environ` with the variables that are in `files` and not in it; of two files the later one counts.

    Relative names start at `directory`; `place` tells where the block names a file (`""`: it does not). Raises
    ScriptrunError for a file that cannot be read.
    """
    pairs: list[tuple[str, str | None]] = []
    for file in files:
        path = os.path.join(directory, file)
        pairs += _pairs(path, _text(path, functools.partial(place, file)), quiet=quiet)
    values = dotenv.resolve_variables(pairs, override=False)  # `${NAME}`: the environment's own, or of a line above
    return {**{name: value for name, value in values.items() if value is not None}, **environ}


def _pairs(path: str, text: str, *, quiet: bool) -> Iterator[tuple[str, str | None]]:
    """Yield names and values of a file with this text, and warn of lines that are neither."""
    for binding in parser.parse_stream(io.StringIO(text)):
        blank = binding.original.string[: -len(binding.original.string.lstrip()) or None].count("\n")
        place = f"{path}:{binding.original.line + blank}"
        if binding.error:
            if not quiet:
                output.warn("this is not NAME=VALUE; it is ignored", "", place)
        elif binding.key is not None:
            if "\0" in binding.key + (binding.value or ""):
                raise ScriptrunError("a variable cannot hold a NUL", place=place)
            yield binding.key, binding.value


def _text(path: str, named: Callable[[], str]) -> str:
    try:
        with open(path, encoding="utf-8-sig") as content:
            return content.read()
    except UnicodeDecodeError as error:
        raise ScriptrunError(f"not UTF-8: {error.reason}", place=path) from None
    except OSError as error:
        message = f"the file of variables `{path}` cannot be read: {error.strerror}"
    place = named()
    if place:
        raise MetadataError(message, place=place)
    raise UsageError(message, hint="it is named by --env-file, SCRIPTRUN_ENV_FILE or the configuration")


def place_in(block: Block, name: str, file: str) -> str:
    """Return where the block of the script `name` names `file`, `""` where it does not."""
    text = block.text(name)
    lines = text.split("\n")
    for path, line in places.find(text).items():
        if path[:3] == ("tool", "scriptrun", "env-file") and len(path) == 4 and file in lines[line]:
            return f"{name}:{block.first + line + 1}"
    return ""
