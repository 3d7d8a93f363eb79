"""What the store has already is not unpacked again where pip is asked for something new."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.index import Index

from scriptrun import integrity, interpreters, location, metadata, paths, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.order import Distribution, Order


class Maker:
    """Makes environments in one cache, by pip each time, and has what pip said of the last one."""

    def __init__(self, directory: Path, url: str) -> None:
        self.cache = location.open_cache({"SCRIPTRUN_CACHE_DIR": str(directory)})[0]
        self.environ = {"HOME": str(directory), "PATH": os.defpath, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": url}
        self.said: list[str] = []

    def make(self, *requirements: str) -> Environment:
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


@pytest.fixture
def maker(tmp_path: Path, shared_index: Index) -> Maker:
    """What makes environments from the shared index."""
    return Maker(tmp_path / "cache", shared_index.url)


def module(environment: Environment, name: str) -> Path:
    return Path(paths.site_packages(environment.path)[0]) / name


def test_what_is_kept_is_not_unpacked_again(maker: Maker) -> None:
    """pip unpacks what is new alone; the rest comes from the store, and the environment is whole."""
    first = maker.make("demo")
    assert maker.unpacked == ["demo"]
    second = maker.make("demo>=1", "tool")
    assert maker.unpacked == ["tool"]
    assert module(first, "demo.py").samefile(module(second, "demo.py"))
    installed = [Distribution(**dict[str, Any](one)) for one in second.distributions]
    assert [(one.name, one.version, one.requested) for one in installed] == [
        ("demo", "2.0", True),
        ("tool", "1.0", True),
    ]
    assert installed[0].kept == first.distributions[0]["kept"]
    assert list(integrity.findings(second.path, installed, unhashed=True)) == []
    third = maker.make("tool", "other")
    assert maker.unpacked == ["demo", "other"], "another version of demo"
    assert subprocess.check_output([f"{third.path}/bin/tool"], text=True) == f"tool in {third.path}\n"


def test_what_is_kept_and_damaged_is_unpacked_again(maker: Maker) -> None:
    """Where a file in the store is not as it was, pip is asked once more, and installs all."""
    first = module(maker.make("demo"), "demo.py")
    content = first.read_bytes()
    first.chmod(0o600)
    first.write_bytes(b"damaged = True\n")
    second = maker.make("demo>=1")
    assert maker.unpacked == ["demo"]
    assert module(second, "demo.py").read_bytes() == content
