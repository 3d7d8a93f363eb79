"""Make a virtual environment, without pip."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from scriptrun import launch, layout
from scriptrun.errors import InstallError
from scriptrun.interpreter import Interpreter


def create(path: str, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    """Make the empty directory `path` a virtual environment of `interpreter`. Raises InstallError and OSError.

    On Linux it is a few links and a file; the interpreter's own `venv` would take some fifty milliseconds, nearly all
    of them to start. Elsewhere, and for other implementations, `venv` knows best.
    """
    if sys.platform == "linux" and interpreter.implementation == "cpython":
        layout.lay_out(path, interpreter.path, interpreter.version, free_threaded=interpreter.free_threaded)
    else:
        _run_venv(path, interpreter, environ)


def _run_venv(path: str, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    from scriptrun import process

    variables = {name: value for name, value in environ.items() if name not in launch.BREAKS_VENV}
    command = [interpreter.path, "-I", "-m", "venv", "--without-pip", path]
    finished = process.run(command, environment=variables, directory=path)
    if finished.status != 0 or not os.path.isfile(os.path.join(path, "pyvenv.cfg")):
        hint = "install its `venv` module" if "No module named venv" in finished.output else ""
        raise InstallError(
            f"{interpreter} cannot make a virtual environment", details=finished.output.strip()[-2000:], hint=hint
        )
