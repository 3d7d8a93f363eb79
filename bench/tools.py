"""The tools that are compared: how each is installed, started from a script, and made to forget its environments."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
"""The base interpreter of all environments: that of the Python which runs the benchmark."""


class Tool:
    """A tool, with a virtual environment and a home of its own below `place`.

    `environments` are the directories below its home, as patterns, that hold nothing but environments made for scripts.
    """

    name = ""
    requirement = ""  # where it is not the name
    shebang = ""
    commands: tuple[str, ...] = ()  # besides its own, what it looks for on PATH
    environments: tuple[str, ...] = ()
    settings: dict[str, str] = {}  # noqa: RUF012 - replaced by subclasses, never changed
    remark = ""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.venv = place / "tools" / self.name
        self.home = place / "homes" / self.name
        self.path = place / "path" / self.name

    def install(self) -> None:
        """Install the newest there is, unless it is there; on PATH is the command alone, not the tool's Python."""
        if not (self.venv / "installed").exists():
            shutil.rmtree(self.venv, ignore_errors=True)
            run([str(PYTHON), "-m", "venv", str(self.venv)])
            self.pip("install", self.requirement or self.name)
            (self.venv / "installed").touch()
        self.home.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)
        for command in (self.name, *self.commands):
            link = self.path / command
            link.unlink(missing_ok=True)
            link.symlink_to(self.venv / "bin" / command)

    def at(self, home: Path) -> Tool:
        """Return the same tool with another home, which is empty then."""
        other = copy.copy(self)
        other.home = home
        other.empty()
        return other

    def empty(self) -> None:
        """Remove all that there is in the home: environments, downloads, and what was learnt."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def pip(self, *arguments: str) -> str:
        """Run the pip beside the tool, with the user's own configuration, and return what it writes."""
        command = [str(self.venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", *arguments]
        return run(command)

    def version(self) -> str:
        """Return the installed version."""
        lines = self.pip("show", self.name).splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("Version: "))

    def variables(self, index: str) -> dict[str, str]:
        """Return the whole environment that the tool is started with: no configuration but where the index is."""
        return {
            "HOME": str(self.home),
            "PATH": f"{self.path}:{PYTHON.parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "PIP_TRUSTED_HOST": "127.0.0.1",  # else pip keeps nothing of what it gets without TLS
            "UV_DEFAULT_INDEX": index,
            "PDM_PYPI_URL": index,
            **self.settings,
        }

    def forget(self) -> None:
        """Remove the environments made for scripts, and nothing of what was downloaded or learnt besides."""
        for pattern in self.environments:
            for path in self.home.glob(pattern):
                shutil.rmtree(path)


class Scriptrun(Tool):
    """The checkout that this file is in, as the wheel that pip builds from it."""

    name = "scriptrun"
    requirement = str(ROOT)
    shebang = "#!/usr/bin/env scriptrun"
    environments = tuple(f".cache/scriptrun/v1/{part}" for part in ("envs", "keys"))

    def install(self) -> None:
        super().install()
        self.pip("install", "--no-deps", "--force-reinstall", self.requirement)


class Asking(Scriptrun):
    """scriptrun where answers do not cover new sets, so that pip is asked."""

    def empty(self) -> None:
        super().empty()
        configuration = self.home / ".config/scriptrun/config.toml"
        configuration.parent.mkdir(parents=True)
        configuration.write_text('[answers]\nmax-age = "0"\n')


class Uv(Tool):
    name = "uv"
    shebang = "#!/usr/bin/env -S uv run --script"
    environments = (".cache/uv/environments-v*",)


class Pipx(Tool):
    name = "pipx"
    shebang = "#!/usr/bin/env -S pipx run"
    environments = (".cache/pipx",)
    remark = "with pip, as no uv is on its PATH"

    def install(self) -> None:
        super().install()
        run([str(self.path / "pipx"), "upgrade-shared"], {**os.environ, **self._shared})

    def variables(self, index: str) -> dict[str, str]:
        return {**super().variables(index), **self._shared}

    @property
    def _shared(self) -> dict[str, str]:
        """Where its own pip is, which all environments share: a part of it, not of a home."""
        return {"HOME": str(self.home), "PIPX_SHARED_LIBS": str(self.place / "tools/pipx-shared")}


class PipRun(Tool):
    name = "pip-run"
    shebang = "#!/usr/bin/env pip-run"
    commands = ("pip",)
    environments = (".cache/pip run",)
    settings = {"PIP_RUN_RETENTION_STRATEGY": "persist"}  # noqa: RUF012 - never changed
    remark = "with PIP_RUN_RETENTION_STRATEGY=persist; otherwise it installs anew for every run"


class Hatch(Tool):
    name = "hatch"
    shebang = "#!/usr/bin/env -S hatch run"
    environments = (".local/share/hatch/env/virtual/.scripts",)


class Pdm(Tool):
    name = "pdm"
    shebang = "#!/usr/bin/env -S pdm run"
    environments = (".local/share/pdm/venvs",)


ALL = (Scriptrun, Uv, Pipx, PipRun, Hatch, Pdm)


def run(command: list[str], variables: dict[str, str] | None = None) -> str:
    """Run a command that has to succeed and return what it writes to stdout; end the benchmark where it fails."""
    own = {name: value for name, value in (variables or os.environ).items() if not name.startswith("PYTHON")}
    finished = subprocess.run(command, env=own, cwd="/", capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"this failed: {' '.join(command)}\n{finished.stdout}{finished.stderr}")
    return finished.stdout
