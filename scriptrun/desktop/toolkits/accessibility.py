"""Whether somebody uses a screen reader here, or another technology that reads windows."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun.desktop.toolkits import bus

_NAME = "org.a11y.Bus"


def is_on(environ: Mapping[str, str]) -> bool:
    """Ask the session bus; no is also the answer where nobody can say."""
    if not environ.get("DBUS_SESSION_BUS_ADDRESS") and not environ.get("XDG_RUNTIME_DIR"):
        return False
    return bus.has(environ, _NAME) and any(_is(environ, what) for what in ("ScreenReaderEnabled", "IsEnabled"))


def _is(environ: Mapping[str, str], what: str) -> bool:
    get = "org.freedesktop.DBus.Properties.Get"
    return "true" in bus.call(environ, _NAME, "/org/a11y/bus", get, "org.a11y.Status", what)
