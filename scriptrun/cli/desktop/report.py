"""`scriptrun desktop report …`: tell in a window what `scriptrun-attend` has seen; it is the only one that asks."""

from __future__ import annotations

import os
from collections.abc import Mapping

from scriptrun.arguments import Invocation
from scriptrun.desktop import dialogs, sentences
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Do what the words ask for: `no-terminal SCRIPT`, or `died SCRIPT STATUS`, with its output on standard input."""
    words = invocation.arguments[1:]
    if len(words) == 2 and words[0] == "no-terminal":
        name = os.path.basename(words[1])
        dialogs.tell(name, sentences.of_no_terminal(name), sentences.NO_TERMINAL, environ)
        return 0
    if len(words) != 3 or words[0] != "died" or not words[2].isdecimal():
        raise UsageError("`scriptrun desktop report` is for `scriptrun-attend`")
    name, written = os.path.basename(words[1]), _end()
    dialogs.tell(name, sentences.of_end(int(words[2]), written, name), written, environ)
    return 0


def _end() -> str:
    """Return the end of what the script wrote: a file that others may still write to, at the place where it is."""
    try:
        return os.pread(0, _SHOWN, max(os.fstat(0).st_size - _SHOWN, 0)).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


_SHOWN = 20_000
