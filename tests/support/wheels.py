"""Real distributions for tests: asked once of the index that this machine's pip asks, then taken from `.work/`."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from scriptrun import block, metadata, spec

PLACE = Path(__file__).parent.parent.parent / ".work" / "downloads"


def of(script: Path, *more: str) -> Path:
    """Return a directory with wheels of what a script needs, and of `more` requirements, which may contradict it."""
    found, _ = block.cut(script.read_bytes(), script.name)
    asked = spec.requirements(metadata.parse(found, script.name, str(script.parent)).dependencies)
    wanted = "\n".join([sys.version, *asked, *more])
    directory = PLACE / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    PLACE.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "complete").exists():
            shutil.rmtree(directory, ignore_errors=True)
            _download(directory, asked)
            _download(directory, [*more])
            (directory / "complete").touch()
    return directory


def _download(directory: Path, requirements: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary=:all:", "--dest", str(directory)]
    subprocess.run([*command, "--", *requirements], check=True)
