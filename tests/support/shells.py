"""The shells that the launcher must be right under, and a launcher whose two ways only say which one was taken."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import scriptrun
from scriptrun import block, launch, paths
from scriptrun.launch import Answer

SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "ash"),
    "ksh": ("ksh",),
    "mksh": ("mksh",),
    "zsh": ("zsh", "--emulate", "sh"),
}
"""Each shell's command by name; Debian's packages are named alike."""

QUIET_OPTIONS = {"quiet", "verbose", "offline", "prepare-timeout", "overlap-status"}
"""The options that do not change which environment a script runs in."""

HIT = "hit\n"
MISS = "miss\n"


def command(name: str) -> tuple[str, ...]:
    """Return how the shell is started; skip the test where it is not installed, in CI fail."""
    words = SHELLS[name]
    if shutil.which(words[0]) is None:
        message = f"{words[0]} is not installed: apt-get install {name}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return words


@dataclass
class Stage:
    """A directory with a launcher, an environment and a script; the Python in it says `hit`, tier 1 `miss`.

    `locked` is what the lock of the script held when the record was written (None: there was none).
    """

    root: Path
    due: str = ""
    locked: bytes | None = None

    def __post_init__(self) -> None:
        _program(self.environment / "bin/python", "echo hit")
        (self.environment / "pyvenv.cfg").touch()
        (self.environment / "scriptrun.json").touch()
        (self.environment / ".stamp").touch()
        _program(self.root / "bin/python", "echo miss")
        (self.root / "bin/scriptrun-python").write_text(f"#!{self.root}/bin/python\n")
        self.launcher.write_bytes((Path(scriptrun.__file__).parent / "launcher.sh").read_bytes())
        self.launcher.chmod(0o755)

    @property
    def launcher(self) -> Path:
        """The launcher."""
        return self.root / "bin/scriptrun"

    @property
    def cache(self) -> Path:
        """The cache."""
        return self.root / "cache"

    @property
    def environment(self) -> Path:
        """The environment, in the cache."""
        return self.cache / "v1/envs/key/it's"

    @property
    def script(self) -> Path:
        """The script."""
        return self.root / "script.py"

    @property
    def lock(self) -> Path:
        """Where the lock of the script would be."""
        return self.root / "pylock.script.toml"

    @property
    def record(self) -> Path:
        """Where the script's launch record is."""
        return Path(paths.record(str(self.cache), str(self.script)))

    def prove(self, source: bytes, configured: bytes = b"") -> bytes | None:
        """Write the script, and its record if there can be one; return the text of the script that it holds."""
        self.script.write_bytes(source)
        self.record.unlink(missing_ok=True)
        proof = launch.head(source, block.cut(source, "script.py")[0])
        if proof is None:
            return None
        answer = Answer(str(self.environment), self.due, provable=True)
        beside = str(self.script), str(self.lock), self.locked
        launch.record(str(self.record), configured + proof[0], proof[1], beside, answer)
        return proof[0]

    @property
    def copy(self) -> Path:
        """The copy of the lock that the record is for."""
        (copy,) = launch.copies(str(self.record.parent))
        return Path(copy)

    def edit(self, source: bytes) -> None:
        """Change the script and set its time stamps back."""
        before = self.script.stat()
        self.script.write_bytes(source)
        os.utime(self.script, ns=(before.st_atime_ns, before.st_mtime_ns))

    def run(
        self, *shell: str, variables: Mapping[str, str] | None = None, script: str = "", uid: int | None = None
    ) -> tuple[int, str, str]:
        """Run the script through the launcher and return status, stdout and stderr."""
        finished = subprocess.run(
            [*shell, self.launcher, script or self.script],
            env={"PATH": "/usr/bin:/bin", "SCRIPTRUN_CACHE_DIR": str(self.cache), **(variables or {})},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            user=uid,
        )
        return finished.returncode, finished.stdout, finished.stderr


def _program(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
