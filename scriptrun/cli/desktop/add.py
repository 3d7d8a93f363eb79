"""`scriptrun desktop add SCRIPT`: an entry in the application menu, and on the desktop and at login where asked."""

from __future__ import annotations

import os
from collections.abc import Mapping

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.cli.desktop import entries
from scriptrun.desktop import programs
from scriptrun.desktop.application import DESKTOP, Application
from scriptrun.desktop.freedesktop import categories, menu


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Write the entry of a script. Nothing is prepared, and nothing run. Raises ScriptrunError."""
    quiet = invocation.options.flag("quiet")
    asked = entries.asked_for(invocation, menu.PICTURES, themes=True)
    for name in () if quiet else asked.shown.categories:
        _tell_of_category(name, asked.script)
    shown = asked.shown._replace(icon=asked.shown.icon or menu.icon(environ))
    content = menu.text(Application(asked.script, shown), programs.attend(environ))
    found = menu.put(asked.script, content, entries.wanted(invocation), environ)
    entries.tell_of_addition(found[0].name, [one.place for one in found], invocation)
    unsure = [one.path for one in found if one.place == DESKTOP and not menu.vouch(one.path, environ)]
    for path in () if quiet else unsure:
        output.note(f"the desktop may ask at the first start whether `{os.path.basename(path)}` may be launched")
    return 0


def _tell_of_category(name: str, script: str) -> None:
    """Warn of a category that menus do not know."""
    if not categories.is_known(name):
        near = categories.near(name)
        remedy = f"did you mean `{near}`?" if near else ""
        output.warn(f"menus know no category `{name}`, which is left out", remedy, script)
