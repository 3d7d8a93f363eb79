"""The command that entries start."""

from __future__ import annotations

import os
from collections.abc import Mapping

from scriptrun.errors import UsageError
from scriptrun.jobs import job


def attend(environ: Mapping[str, str]) -> str:
    """Return the absolute path of `scriptrun-attend`, which stays with a script that nobody watches from a terminal.

    Raises UsageError where there is none.
    """
    path = os.path.join(os.path.dirname(os.path.realpath(job.program(environ))), "scriptrun-attend")
    if not os.path.isfile(path):
        raise UsageError(f"there is no command `{path}`", hint="install scriptrun again")
    return path
