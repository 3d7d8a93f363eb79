"""Lay out a virtual environment, as PEP 405 describes it, without pip."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping

from scriptrun import launch, process
from scriptrun.errors import InstallError
from scriptrun.interpreters import Interpreter


def create(path: str, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    """Make the empty directory `path` a virtual environment of `interpreter`. Raises InstallError and OSError.

    On Linux it is a few links and a file; the interpreter's own `venv` would take some fifty milliseconds, nearly all
    of them to start. Elsewhere, and for other implementations, `venv` knows best.
    """
    if sys.platform == "linux" and interpreter.implementation == "cpython":
        _lay_out(path, interpreter)
    else:
        _run_venv(path, interpreter, environ)


def _lay_out(path: str, interpreter: Interpreter) -> None:
    short = ".".join(interpreter.version.split(".")[:2])
    name = f"python{short}{'t' if interpreter.free_threaded else ''}"
    os.makedirs(os.path.join(path, "lib", name, "site-packages"))
    if sys.maxsize > 2**32:
        _link("lib", os.path.join(path, "lib64"))
    os.mkdir(os.path.join(path, "include"))
    os.mkdir(os.path.join(path, "bin"))
    _link(interpreter.path, os.path.join(path, "bin", "python"))
    for alias in ("python3", f"python{short}"):
        _link("python", os.path.join(path, "bin", alias))
    lines = (
        f"home = {os.path.dirname(interpreter.path)}",
        "include-system-site-packages = false",
        f"version = {interpreter.version}",
        f"executable = {interpreter.path}",
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


def _run_venv(path: str, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    variables = {name: value for name, value in environ.items() if name not in launch.BREAKS_VENV}
    command = [interpreter.path, "-I", "-m", "venv", "--without-pip", path]
    finished = process.run(command, environment=variables, directory=path)
    if finished.status != 0 or not os.path.isfile(os.path.join(path, "pyvenv.cfg")):
        hint = "install its `venv` module" if "No module named venv" in finished.output else ""
        raise InstallError(
            f"{interpreter} cannot make a virtual environment", details=finished.output.strip()[-2000:], hint=hint
        )
