"""`scriptrun desktop remove SCRIPT`: take all entries of a script away, also of one that has gone."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun.arguments import Invocation
from scriptrun.cli.desktop import entries
from scriptrun.desktop.freedesktop import menu


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Remove the entries of a script, which is named by its path or by what the menu shows. Raises ScriptrunError."""
    there = menu.entries(environ)
    found = entries.meant(invocation, there)
    menu.remove(found)
    entries.tell_of_removal(found, there, invocation)
    return 0
