"""The files of units: where systemd looks for them, whose they are, and how they are written.

A unit hides that of the same name in a directory which systemd looks into later, and a timer starts the service of its
name. So a name is free only where neither is there, or both are of the same script.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from scriptrun.editing import document
from scriptrun.errors import EditError
from scriptrun.jobs import units
from scriptrun.jobs.units import Unit

_CHOOSE = "choose another name with --name"

_SYSTEM = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/transient",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_USER = ("/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")


def directories(environ: Mapping[str, str], *, user: bool) -> list[str]:
    """Return where systemd looks for units, as systemd.unit has it."""
    if not user:
        return list(_SYSTEM)
    home = environ.get("HOME", "")
    own = (
        environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"),
        environ.get("XDG_DATA_HOME") or os.path.join(home, ".local/share"),
    )
    return [*(os.path.join(base, "systemd/user") for base in own if os.path.isabs(base)), *_USER]


def refuse_taken(name: str, script: str, places: Sequence[str]) -> None:
    """Raise EditError where a service or a timer of that name is there which was not made for the script."""
    for path in _files(name, places):
        content = _content(path)
        if content is None or content.startswith(units.mark(os.path.basename(path), script).encode()):
            continue
        if content.startswith(units.mark(os.path.basename(path), "").rstrip("\n").encode()):
            raise EditError(f"`{path}` is there, and runs another script", hint=_CHOOSE)
        raise EditError(f"`{path}` is there, and not made by scriptrun", hint=_CHOOSE)


def refuse_other_start(made: Sequence[Unit], places: Sequence[str], systemctl: str) -> None:
    """Raise EditError where a service, not started in that way any more, would still be.

    That is by an earlier timer where it gets none now, or at each boot where it gets one.
    """
    service = made[0].name
    timer = f"{service.removesuffix('.service')}.timer"
    for place in places:
        path = os.path.join(place, timer)
        if len(made) == 1 and _content(path) is not None:
            command = f"{systemctl} disable --now {timer} && rm {shlex.quote(path)}"
            raise EditError(f"`{path}` would still start it", hint=f"first run: {command}")
        for target in ("multi-user", "default"):
            link = os.path.join(place, f"{target}.target.wants", service)
            if len(made) == 2 and os.path.lexists(link):
                command = f"{systemctl} disable --now {service}"
                raise EditError(f"`{link}` would still start it at each boot", hint=f"first run: {command}")


def write(made: Sequence[Unit], directory: str) -> dict[str, list[str]]:
    """Write units into a directory; return what was done, with the paths of the files."""
    done: dict[str, list[str]] = {}
    for unit in made:
        path = os.path.join(directory, unit.name)
        done.setdefault(_put(path, os.fsencode(unit.text)), []).append(path)
    return done


def _put(path: str, content: bytes) -> str:
    if not os.path.lexists(path):
        document.create(path, content, 0o644)
        return "made"
    before = document.read(path)
    if before.content == content:
        return "kept"
    document.write(before, content)
    return "replaced"


def _files(name: str, places: Sequence[str]) -> Iterator[str]:
    for place in places:
        for kind in ("service", "timer"):
            yield os.path.join(place, f"{name}.{kind}")


def _content(path: str) -> bytes | None:
    """Return what a unit holds, None where none is there, or an empty file, as a shell makes it for its output."""
    if os.path.isfile(path):
        try:
            with open(path, "rb") as file:
                return file.read() or None
        except OSError:
            return b""
    return b"" if os.path.lexists(path) else None
