"""Find the Pythons of this machine; independent of what is tested."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


@functools.lru_cache(maxsize=None)  # noqa: UP033 - run-tests may have been started with Python 3.8
def find() -> list[Path]:
    """Return one working CPython for each minor version from 3.8 on, oldest first."""
    found: dict[int, Path] = {}
    for path in _candidates():
        try:
            finished = subprocess.run(
                [path, "-I", "-c", "import sys, venv; print(*sys.version_info[:2], sys.prefix == sys.base_prefix)"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        major, minor, base = finished.stdout.split()
        if major == "3" and int(minor) >= 8 and base == "True":
            found.setdefault(int(minor), Path(os.path.realpath(path)))
    return [found[minor] for minor in sorted(found)]


def _candidates() -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(path for path in root.glob("versions/3.*/bin/python3") if re.search(r"/3\.\d+\.\d+/", str(path)))
    for minor in range(8, 20):
        path = shutil.which(f"python3.{minor}")
        if path:
            yield Path(path)
