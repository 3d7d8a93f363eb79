"""`scriptrun desktop remove SCRIPT`: take all entries of a script away, also of one that has gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.desktop.freedesktop import menu
from scriptrun.desktop.freedesktop.menu import Entry
from scriptrun.errors import UsageError
from scriptrun.jobs import job


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the entries of a script, which is named by its path or by what the menu shows. Raises ScriptrunError."""
    words = invocation.arguments[1:]
    if len(words) != 1:
        raise UsageError(
            "`scriptrun desktop remove` takes one script, or the name of one entry",
            hint='scriptrun desktop remove SCRIPT, or scriptrun desktop remove "My Report"',
        )
    there = menu.entries(environ)
    found = _meant(words[0], there)
    menu.remove(found)
    if not invocation.options.flag("quiet"):
        for script in dict.fromkeys(one.script for one in found):
            output.note(f"removed the entries of {script}")
        if not found:
            names = ", ".join(sorted({f"`{one.name}`" for one in there})) or "none at all"
            output.note(f"there is no entry of `{words[0]}`; there are: {names}")
    return 0


def _meant(word: str, there: Sequence[Entry]) -> list[Entry]:
    """Return the entries that a word means: a script's path counts before names. Raises UsageError."""
    path = job.absolute(word)
    found = [one for one in there if one.script == path] or [one for one in there if one.name == word]
    scripts = sorted({one.script for one in found})
    if len(scripts) > 1:
        raise UsageError(f"`{word}` are several: {', '.join(scripts)}", hint="name the script by its path")
    return found
