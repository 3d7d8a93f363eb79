"""`scriptrun desktop open FILE [ARG...]`: run a script as a double click does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from scriptrun import output, refusals
from scriptrun.arguments import Invocation
from scriptrun.desktop import dialogs, opening, sentences
from scriptrun.errors import Declined, ScriptrunError, UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Become the script's attendant; what keeps it from that is told in a window, as nobody may see stderr."""
    words = invocation.arguments[1:]
    try:
        if not words:
            raise UsageError("`scriptrun desktop open` takes a script", hint="drop one on its icon, or double-click it")
        opening.become(opening.located(words[0]), words[1:], environ)
    except Declined as error:
        return error.status
    except ScriptrunError as error:
        return _tell(error, words, environ)
    except OSError as error:  # a file may go at any moment
        return _tell(refusals.explain("it cannot be opened", error, ""), words, environ)


def _tell(error: ScriptrunError, words: Sequence[str], environ: Mapping[str, str]) -> int:
    name = os.path.basename(words[0]) if words else ""
    output.tell(error.render())
    dialogs.tell(name or "scriptrun", sentences.of_error(error, name), error.render(), environ)
    return error.status
