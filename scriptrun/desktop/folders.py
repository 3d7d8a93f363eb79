"""Where a desktop keeps things: the freedesktop.org "Base Directory" specification, and `user-dirs.dirs`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping


def home(environ: Mapping[str, str]) -> str:
    """Return the user's home directory."""
    return environ.get("HOME") or os.path.expanduser("~")


def data_home(environ: Mapping[str, str]) -> str:
    """Return where the user's applications, icons and MIME types are."""
    return _based(environ, "XDG_DATA_HOME", ".local", "share")


def config_home(environ: Mapping[str, str]) -> str:
    """Return where the user's configuration is, `mimeapps.list` among it."""
    return _based(environ, "XDG_CONFIG_HOME", ".config")


def state_home(environ: Mapping[str, str]) -> str:
    """Return where logs and what was done before are kept."""
    return _based(environ, "XDG_STATE_HOME", ".local", "state")


def data_directories(environ: Mapping[str, str]) -> list[str]:
    """Return where data of the machine is, the most important directory first."""
    return _listed(environ, "XDG_DATA_DIRS", "/usr/local/share:/usr/share")


def config_directories(environ: Mapping[str, str]) -> list[str]:
    """Return where configuration of the machine is, the most important directory first."""
    return _listed(environ, "XDG_CONFIG_DIRS", "/etc/xdg")


def desktop(environ: Mapping[str, str]) -> str:
    """Return the directory whose files are shown on the desktop."""
    return _user_directory(environ, "DESKTOP", "Desktop")


def downloads(environ: Mapping[str, str]) -> str:
    """Return the directory that browsers download to."""
    return _user_directory(environ, "DOWNLOAD", "Downloads")


def _based(environ: Mapping[str, str], name: str, *default: str) -> str:
    value = environ.get(name, "")
    return value if os.path.isabs(value) else os.path.join(home(environ), *default)


def _listed(environ: Mapping[str, str], name: str, default: str) -> list[str]:
    return [one for one in (environ.get(name) or default).split(os.pathsep) if os.path.isabs(one)]


def _user_directory(environ: Mapping[str, str], name: str, default: str) -> str:
    """Return a directory that `user-dirs.dirs` names: a file of shell assignments, below `$HOME` or absolute."""
    try:
        with open(os.path.join(config_home(environ), "user-dirs.dirs"), "rb") as file:
            lines = os.fsdecode(file.read())
    except OSError:
        lines = ""
    found = re.findall(rf'^[ \t]*XDG_{name}_DIR[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', lines, re.MULTILINE)
    value = found[-1][0] or found[-1][1] if found else ""
    variable = re.match(r"\$(?:HOME|\{HOME\})(?=/|$)", value)
    path = re.sub(r"\\(.)", r"\1", value[variable.end() :] if variable else value).rstrip("/")
    if variable:
        return os.path.join(home(environ), path[1:]) if path else home(environ)
    return path if os.path.isabs(path) else os.path.join(home(environ), default)
