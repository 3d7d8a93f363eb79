"""`scriptrun desktop add SCRIPT`: an entry in the application menu, and on the desktop and at login where asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from scriptrun import block as blocks
from scriptrun import desktop_table, metadata, output, source
from scriptrun.arguments import Invocation
from scriptrun.desktop import programs
from scriptrun.desktop.freedesktop import categories, menu
from scriptrun.desktop_table import Desktop
from scriptrun.errors import ScriptrunError, UsageError
from scriptrun.jobs import job

_PLACES = {
    menu.MENU: "is in the application menu",
    menu.DESKTOP: "is on the desktop",
    menu.AUTOSTART: "starts when you log in",
}


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Write the entry of a script. Nothing is prepared, and nothing run. Raises ScriptrunError."""
    script, quiet = _script(invocation), invocation.options.flag("quiet")
    shown = _named(_read(script, quiet=quiet), invocation.extra)
    _require_icon(shown.icon)
    shown = replace(shown, icon=shown.icon or menu.icon(environ))
    wanted = [menu.MENU]
    wanted += [menu.DESKTOP] if "--on-desktop" in invocation.extra else []
    wanted += [menu.AUTOSTART] if "--autostart" in invocation.extra else []
    found = menu.put(script, menu.text(script, programs.attend(environ), shown), wanted, environ)
    if not quiet:
        places = {one.place: _PLACES[one.place] for one in found}
        output.note(f"`{found[0].name}` {' and '.join(places.values())}")
    unsure = [one.path for one in found if one.place == menu.DESKTOP and not menu.vouch(one.path, environ)]
    for path in () if quiet else unsure:
        output.note(f"the desktop may ask at the first start whether `{os.path.basename(path)}` may be launched")
    return 0


def _script(invocation: Invocation) -> str:
    """Return the absolute path of the script that the command line names. Raises ScriptrunError."""
    words = invocation.arguments[1:]
    if len(words) != 1:
        raise UsageError("`scriptrun desktop add` takes one script", hint="scriptrun desktop add SCRIPT")
    for name, _ in invocation.options.given():
        flag = f"--{name}"
        if name not in ("quiet", "verbose") and invocation.options.place(name) == flag:
            raise UsageError(f"an entry takes no `{flag}`", hint=f"write `{name}` into [tool.scriptrun] of the block")
    job.require(words[0])
    return job.absolute(words[0])


def _read(script: str, *, quiet: bool) -> Desktop:
    """Return what the block of a script says of desktops; warn of what it says in vain. Raises ScriptrunError."""
    found, misses = blocks.cut(source.read(script).content, script)
    read = metadata.parse(found, script, os.path.dirname(os.path.realpath(script)))
    if not quiet:
        for miss in misses:
            output.warn(miss.message, miss.remedy, f"{script}:{miss.line}")
        for warned in read.warnings:
            output.warn(warned.message, warned.remedy, warned.place)
        for name in read.desktop.categories:
            _tell_of_category(name, script)
    return read.desktop


def _tell_of_category(name: str, script: str) -> None:
    """Warn of a category that menus do not know."""
    if not categories.is_known(name):
        near = categories.near(name)
        remedy = f"did you mean `{near}`?" if near else ""
        output.warn(f"menus know no category `{name}`, which is left out", remedy, script)


def _named(shown: Desktop, extra: Mapping[str, str]) -> Desktop:
    """Return what an entry is to show: the words of the command line count before the block. Raises UsageError."""
    if "--name" in extra:
        if not extra["--name"].strip() or not extra["--name"].isprintable():
            raise UsageError(f"`--name` is `{extra['--name']}`", hint='an example: --name "My Report"')
        shown = replace(shown, name=extra["--name"])
    if "--icon" in extra:
        shown = replace(shown, icon=desktop_table.icon(extra["--icon"], os.curdir))
    return shown


def _require_icon(icon: str) -> None:
    """Raise ScriptrunError where an icon is no file that desktops show."""
    if os.path.isabs(icon) and not os.path.isfile(icon):
        raise ScriptrunError(f"there is no icon `{icon}`", hint="without a slash and an ending it would be a theme's")
    if os.path.isabs(icon) and not icon.lower().endswith(desktop_table.PICTURES):
        endings = ", ".join(desktop_table.PICTURES)
        raise ScriptrunError(f"`{icon}` is no icon that desktops show", hint=f"their names end with {endings}")
