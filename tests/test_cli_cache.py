"""`scriptrun cache dir`."""

from __future__ import annotations

import os
import subprocess

from support.user import User


def test_directory_is_the_one_in_use(user: User) -> None:
    """The directory is printed alone on a line, and it is the one in which a run puts environments."""
    user.script("s.py")
    user.run("./s.py")
    assert user.run("scriptrun", "cache", "dir") == (0, f"{user.cache}\n", "")
    assert len(user.environments()) == 1


def test_directory_can_be_chosen(user: User) -> None:
    """SCRIPTRUN_CACHE_DIR, else XDG_CACHE_HOME, else HOME says where it is, and it is made for its owner alone."""
    chosen, xdg = user.directory / "chosen", user.directory / "xdg"
    both = user.run("scriptrun", "cache", "dir", XDG_CACHE_HOME=str(xdg), SCRIPTRUN_CACHE_DIR=str(chosen))
    assert both.out == f"{chosen}\n"
    assert chosen.stat().st_mode & 0o777 == 0o700
    assert user.run("scriptrun", "cache", "dir", XDG_CACHE_HOME=str(xdg)).out == f"{xdg}/scriptrun\n"
    assert user.run("scriptrun", "cache", "dir", SCRIPTRUN_CACHE_DIR="chosen").out == f"{chosen}\n"


def test_directory_is_printed_byte_for_byte(user: User) -> None:
    """The name of the directory is data for other programs, also where it is no text."""
    chosen = os.fsencode(user.directory) + b"/\xff \n\xc3\xa9"
    finished = subprocess.run(
        ["scriptrun", "cache", "dir"],
        env={**user.environment(), "SCRIPTRUN_CACHE_DIR": os.fsdecode(chosen), "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert finished.stdout == chosen + b"\n"
