"""Tell of scriptrun's own failures as somebody is told who does not program, and has typed no command."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping, Sequence

from scriptrun import attendant, output
from scriptrun.desktop import dialogs, sentences
from scriptrun.errors import Interrupted, ScriptrunError


def tell(error: ScriptrunError, argv: Sequence[str], environ: Mapping[str, str]) -> None:
    """Tell why what `argv` asks for failed: in the terminal, or in a window, and as ever where nobody attends."""
    found = attendant.find(environ)
    name = os.path.basename(next((word for word in argv if not word.startswith("--")), ""))
    if found is None:
        output.tell(error.render())
        return
    sentence = sentences.of_error(error, name)
    if found.terminal:
        output.tell(_page(sentence, error.render()))
    elif not isinstance(error, Interrupted):
        dialogs.tell(name, sentence, error.render(), environ)
    found.told()


def _page(sentence: str, details: str) -> str:
    """Return what a terminal shows of a failure; the sentence comes again after details that move it out of sight."""
    columns, rows = shutil.get_terminal_size()
    said = textwrap.fill(sentence, max(columns, 20)) + "\n"
    lines = sum(1 + len(line) // max(columns, 20) for line in details.splitlines())
    again = f"\n{said}" if lines > rows - 10 else ""
    return f"{said}\nDetails, for somebody who can help:\n{details}{again}"
