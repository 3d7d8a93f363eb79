"""The files of a virtual environment, as PEP 405 describes it: those of a CPython on Linux.

Imported on the way to a script whose environment has gone, too, so it imports next to nothing.
"""

import errno
import os
import sys


def lay_out(path: str, python: str, version: str, *, free_threaded: bool) -> None:
    """Make the empty directory `path` a virtual environment of the interpreter `python`. Raises OSError."""
    short = ".".join(version.split(".")[:2])
    name = f"python{short}{'t' if free_threaded else ''}"
    os.makedirs(os.path.join(path, "lib", name, "site-packages"))
    if sys.maxsize > 2**32:
        _link("lib", os.path.join(path, "lib64"))
    os.mkdir(os.path.join(path, "include"))
    os.mkdir(os.path.join(path, "bin"))
    _link(python, os.path.join(path, "bin", "python"))
    for alias in ("python3", f"python{short}"):
        _link("python", os.path.join(path, "bin", alias))
    lines = (
        f"home = {os.path.dirname(python)}",
        "include-system-site-packages = false",
        f"version = {version}",
        f"executable = {python}",
    )
    with open(os.path.join(path, "pyvenv.cfg"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")


def _link(target: str, path: str) -> None:
    try:
        os.symlink(target, path)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            message = "the file system has no symbolic links"
            raise OSError(error.errno, message, path) from None
        raise


def is_noexec(path: str) -> bool:
    """Tell whether no program can be run from the file system that holds `path`."""
    return hasattr(os, "ST_NOEXEC") and bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
