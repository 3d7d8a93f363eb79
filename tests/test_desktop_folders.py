"""Where a desktop keeps things: as the base directory specification, xdg-user-dirs and the shell have it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.user import LIMIT

from scriptrun.desktop import folders

HOME = {"HOME": "/home/ada"}


def test_directories_without_variables() -> None:
    """What is not set, empty, or relative, is the specification's default."""
    for environ in (HOME, {**HOME, **dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), "x/y")}):
        assert folders.data_home(environ) == "/home/ada/.local/share"
        assert folders.config_home(environ) == "/home/ada/.config"
        assert folders.state_home(environ) == "/home/ada/.local/state"
    for environ in (HOME, {**HOME, "XDG_DATA_DIRS": "", "XDG_CONFIG_DIRS": ""}):
        assert folders.data_directories(environ) == ["/usr/local/share", "/usr/share"]
        assert folders.config_directories(environ) == ["/etc/xdg"]


def test_directories_of_variables() -> None:
    """What is set counts, and of lists the absolute entries."""
    environ = {**HOME, "XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}
    environ |= {"XDG_DATA_DIRS": "/b:relative:/a", "XDG_CONFIG_DIRS": "/y::/z"}
    assert (
        folders.data_home(environ),
        folders.config_home(environ),
        folders.state_home(environ),
    ) == ("/d", "/c", "/s")
    assert folders.data_directories(environ) == ["/b", "/a"]
    assert folders.config_directories(environ) == ["/y", "/z"]


@pytest.mark.parametrize(
    "line",
    [
        'XDG_DESKTOP_DIR="$HOME/Schreibtisch"',
        'XDG_DESKTOP_DIR="$HOME"',
        'XDG_DESKTOP_DIR="${HOME}/a b"',
        "XDG_DESKTOP_DIR=$HOME/plain",
        'XDG_DESKTOP_DIR="/mnt/desk"',
        '  XDG_DESKTOP_DIR="/mnt/desk" # the big disk',
        'XDG_DESKTOP_DIR="/mnt/\\"\\$HOME\\`\\\\"',
        'XDG_DESKTOP_DIR="/first"\nXDG_DOWNLOAD_DIR="/no"\nXDG_DESKTOP_DIR="/second"',
        '# XDG_DESKTOP_DIR="/no"\nXDG_DESKTOP_DIR="/yes"',
        'XDG_DESKTOP_DIR="$HOME/Bür\udcff"',
    ],
)
def test_desktop_of_user_dirs(tmp_path: Path, line: str) -> None:
    """The desktop is where the shell, which programs read `user-dirs.dirs` with, says that it is."""
    (tmp_path / "user-dirs.dirs").write_bytes(line.encode("utf-8", "surrogateescape"))
    environ = {**HOME, "XDG_CONFIG_HOME": str(tmp_path)}
    command = ["sh", "-c", '. "$0/user-dirs.dirs"; printf %s "$XDG_DESKTOP_DIR"', str(tmp_path)]
    told = subprocess.run(command, env=environ, capture_output=True, check=True, timeout=LIMIT).stdout
    assert told.decode("utf-8", "surrogateescape") == folders.desktop(environ)


@pytest.mark.parametrize(
    "line", ["", 'XDG_DESKTOP_DIR="relative"', 'XDG_DESKTOP_DIR="$HOMES/x"', 'XDG_DESKTOP_DIR=""', "\0\xff"]
)
def test_desktop_of_nobody(tmp_path: Path, line: str) -> None:
    """What says nothing, or nothing that counts, leaves the default; a slash at the end is none."""
    (tmp_path / "user-dirs.dirs").write_text(line + '\nXDG_DOWNLOAD_DIR="$HOME/Heruntergeladen/"\n', "utf-8")
    environ = {**HOME, "XDG_CONFIG_HOME": str(tmp_path)}
    assert folders.desktop(environ) == "/home/ada/Desktop"
    assert folders.downloads(environ) == "/home/ada/Heruntergeladen"
    assert folders.downloads({**HOME, "XDG_CONFIG_HOME": str(tmp_path / "nothing")}) == "/home/ada/Downloads"
