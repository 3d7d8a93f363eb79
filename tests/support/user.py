"""A user with a home, a shell environment and the command `scriptrun`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

LIMIT = 300
"""After how many seconds a run counts as hanging. No test expects anything of time."""


class Finished(NamedTuple):
    """How a command ended: status (negative: by that signal), stdout and stderr."""

    status: int
    out: str
    err: str


@dataclass
class User:
    """Runs commands in a directory of its own with nothing but `variables` in the environment.

    `uid` makes them run as another user, which takes root.
    """

    home: Path
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    uid: int | None = None

    @property
    def cache(self) -> Path:
        """The cache directory of this user."""
        return self.home / ".cache" / "scriptrun"

    def write(self, name: str, text: str | bytes, *, executable: bool = False) -> Path:
        """Write a file below the directory and return its path."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if executable:
            path.chmod(0o755)
        return path

    def script(self, name: str, *requirements: str, body: str = "", head: str = "") -> Path:
        """Write an executable script whose block asks for these requirements and return its path."""
        listed = "".join(f'#   "{requirement}",\n' for requirement in requirements)
        block = f"# /// script\n{head}# dependencies = [\n{listed}# ]\n# ///\n"
        return self.write(name, f"#!/usr/bin/env scriptrun\n{block}{body}", executable=True)

    def run(
        self,
        *command: str | bytes | Path,
        stdin: bytes = b"",
        cwd: Path | None = None,
        **variables: str | None,
    ) -> Finished:
        """Run a command to its end and return it; a variable that is None is taken out of the environment."""
        finished = subprocess.run(
            command,
            input=stdin,
            cwd=cwd or self.directory,
            env=self.environment(variables),
            capture_output=True,
            check=False,
            timeout=LIMIT,
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
        )
        return Finished(
            finished.returncode,
            finished.stdout.decode("utf-8", "surrogateescape"),
            finished.stderr.decode("utf-8", "surrogateescape"),
        )

    def environment(self, variables: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the environment of a command."""
        merged = {**self.variables, **(variables or {})}
        return {name: value for name, value in merged.items() if value is not None}

    def environments(self) -> list[Path]:
        """Return the environments in this user's cache that are complete."""
        return sorted(path.parent for path in self.cache.glob("v1/envs/*/*/scriptrun.json"))

    def records(self) -> list[Path]:
        """Return the launch records in this user's cache."""
        return sorted(self.cache.glob("v1/launch/**/@record"))


def variables_of_this_machine() -> dict[str, str]:
    """Return what pip is told here of the index to ask: variables, and the file of its configuration."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    configuration = Path("~/.config/pip/pip.conf").expanduser()
    if configuration.exists():
        variables.setdefault("PIP_CONFIG_FILE", str(configuration))
    return variables


def create(root: Path, command: Path, url: str) -> User:
    """Make a user with a home and a directory below `root`, the command `scriptrun`, and an index at `url` alone."""
    home = root / "home"
    directory = root / "work"
    home.mkdir(parents=True)
    directory.mkdir()
    variables = {
        "HOME": str(home),
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": url,
        "SCRIPTRUN_SYSTEM_CACHE": "",  # this machine may have one
    }
    return User(home, directory, variables)
