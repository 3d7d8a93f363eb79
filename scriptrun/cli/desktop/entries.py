"""What `scriptrun desktop add`, `remove` and `status` have in common on all platforms: entries of scripts, in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scriptrun import block as blocks
from scriptrun import desktop_table, metadata, output, source
from scriptrun.arguments import Invocation
from scriptrun.desktop.application import AUTOSTART, DESKTOP, MENU, Application, Entry
from scriptrun.desktop_table import Desktop
from scriptrun.errors import ScriptrunError, UsageError
from scriptrun.jobs import job

_PLACES = {
    MENU: "is in the application menu",
    DESKTOP: "is on the desktop",
    AUTOSTART: "starts when you log in",
}


def asked_for(invocation: Invocation, pictures: Sequence[str], *, themes: bool = False) -> Application:
    """Return the entry that `desktop add` asks for; warn of what its block says in vain. Raises ScriptrunError.

    `pictures` are the endings of icons on this platform, where `themes` may have names for icons.
    """
    script, quiet = _script(invocation), invocation.options.flag("quiet")
    shown = _named(read(script, quiet=quiet).shown, invocation.extra)
    if not _is_usable(shown.icon, pictures, themes=themes):
        if not quiet:
            remedy = f"here their names end with {' or '.join(pictures)}"
            output.warn(f"icon `{shown.icon}` is left out", remedy, script)
        shown = shown._replace(icon="")
    return Application(script, shown)


def read(script: str, *, quiet: bool) -> Application:
    """Return what the block of a script says of desktops; warn of what it says in vain. Raises ScriptrunError."""
    found, misses = blocks.cut(source.read(script).content, script)
    said = metadata.parse(found, script, os.path.dirname(os.path.realpath(script)))
    if not quiet:
        for miss in misses:
            output.warn(miss.message, miss.remedy, f"{script}:{miss.line}")
        for warned in said.warnings:
            output.warn(warned.message, warned.remedy, warned.place)
    return Application(script, said.desktop)


def wanted(invocation: Invocation) -> list[str]:
    """Return where `desktop add` is to put an entry."""
    also = {"--on-desktop": DESKTOP, "--autostart": AUTOSTART}
    return [MENU, *(place for option, place in also.items() if option in invocation.extra)]


def tell_of_addition(name: str, places: Iterable[str], invocation: Invocation) -> None:
    """Say where a script has entries now."""
    if not invocation.options.flag("quiet"):
        output.note(f"`{name}` {' and '.join(_PLACES[place] for place in dict.fromkeys(places))}")


def meant(invocation: Invocation, there: Sequence[Entry]) -> list[Entry]:
    """Return the entries that `desktop remove` is about: a script's path counts before names. Raises UsageError."""
    words = invocation.arguments[1:]
    if len(words) != 1:
        raise UsageError(
            "`scriptrun desktop remove` takes one script, or the name of one entry",
            hint='scriptrun desktop remove SCRIPT, or scriptrun desktop remove "My Report"',
        )
    path = job.absolute(words[0])
    found = [one for one in there if one.script == path] or [one for one in there if one.name == words[0]]
    scripts = sorted({one.script for one in found})
    if len(scripts) > 1:
        raise UsageError(f"`{words[0]}` are several: {', '.join(scripts)}", hint="name the script by its path")
    return found


def tell_of_removal(found: Sequence[Entry], there: Sequence[Entry], invocation: Invocation) -> None:
    """Say what has been removed, of what was there."""
    if invocation.options.flag("quiet"):
        return
    for script in dict.fromkeys(one.script for one in found):
        output.note(f"removed the entries of {script}")
    if not found:
        names = ", ".join(sorted({f"`{one.name}`" for one in there})) or "none at all"
        output.note(f"there is no entry of `{invocation.arguments[1]}`; there are: {names}")


def described(one: Entry) -> dict[str, Any]:
    """Return the name of an entry, where it is, its script, and whether that is there."""
    there = os.path.isfile(one.script)
    return {"name": one.name, "where": one.place, "script": one.script, "there": there, "file": one.path}


def row(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return the row of a table for an entry that is described."""
    gone = "" if one["there"] else ", which has gone"
    return f"entry ({one['where']})", f"{one['name']}: {one['script']}{gone}"


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


def _named(shown: Desktop, extra: Mapping[str, str]) -> Desktop:
    """Return what an entry is to show: the words of the command line count before the block. Raises UsageError."""
    if "--name" in extra:
        if not extra["--name"].strip() or not extra["--name"].isprintable():
            raise UsageError(f"`--name` is `{extra['--name']}`", hint='an example: --name "My Report"')
        shown = shown._replace(name=extra["--name"])
    if "--icon" in extra:
        shown = shown._replace(icon=desktop_table.icon(extra["--icon"], os.curdir))
    return shown


def _is_usable(icon: str, pictures: Sequence[str], *, themes: bool) -> bool:
    """Tell whether an icon shows here, or there is none. Raises ScriptrunError where it could show nowhere."""
    if not icon or not os.path.isabs(icon):
        return themes or not icon
    if not os.path.isfile(icon):
        raise ScriptrunError(f"there is no icon `{icon}`", hint="without a slash and an ending it would be a theme's")
    if not icon.lower().endswith(desktop_table.PICTURES):
        endings = ", ".join(pictures)
        raise ScriptrunError(f"`{icon}` is no icon that desktops show", hint=f"their names end with {endings}")
    return icon.lower().endswith(tuple(pictures))
