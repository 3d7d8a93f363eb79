"""Environments made in this process, by pip each time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scriptrun import interpreters, location, metadata, paths, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.order import Order


class Maker:
    """Makes environments in one cache, by pip each time, and has what pip said of the last one."""

    def __init__(self, directory: Path, url: str) -> None:
        self.cache = location.open_cache({"SCRIPTRUN_CACHE_DIR": str(directory)})[0]
        self.environ = {"HOME": str(directory), "PATH": os.defpath, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": url}
        self.said: list[str] = []

    def make(self, *requirements: str) -> Environment:
        """Return a new environment."""
        interpreter = interpreters.identify(sys.executable, self.cache, self.environ)
        assert interpreter is not None
        asked = tuple(metadata.requirement(text, "here") for text in requirements)
        specified = spec.specify(interpreter, asked, Options())
        self.said.clear()
        order = Order(specified, asked, Options(), self.environ, self.said.append, ask=True)
        return prepare.prepare(self.cache, order)

    @property
    def unpacked(self) -> list[str]:
        """The distributions that pip unpacked."""
        head = "Installing collected packages: "
        return [name for line in self.said if line.startswith(head) for name in line.removeprefix(head).split(", ")]


def module(environment: Environment, name: str) -> Path:
    """Return a module in an environment."""
    return Path(paths.site_packages(environment.path)) / name
