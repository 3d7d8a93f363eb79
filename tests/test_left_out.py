"""What the store has already is not unpacked again where pip is asked for something new; and how pip is started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import varied
from support.index import Index
from support.maker import Maker, module

from scriptrun import integrity
from scriptrun.order import Distribution


@pytest.fixture
def maker(tmp_path: Path, shared_index: Index) -> Maker:
    """What makes environments from the shared index."""
    return Maker(tmp_path / "cache", shared_index.url)


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


LIBRARIES = {"one": ["lib/libaa.so", "lib/cmake/site-packages/x.py", "lib/zz.so"], "two": ["lib/aa", "lib/pkgconfig/x"]}


def test_libraries_beside_those_of_python(tmp_path: Path, index: Index) -> None:
    """Wheels with files below `lib`, whatever their names, are installed and left out as any other one."""
    for name, files in LIBRARIES.items():
        data = {f"@.data/data/{file}": b"data" for file in files}
        index.add(varied.wheel(name, "1.0", {f"{name}.py": b"V = 1\n", **data}))
    maker = Maker(tmp_path / "cache", index.url)
    for asked, unpacked in ((["one"], ["one"]), (["one>=1", "two"], ["two"]), (["one", "two>=1"], [])):
        environment = maker.make(*asked)
        assert maker.unpacked == unpacked
        installed = [Distribution(**dict[str, Any](one)) for one in environment.distributions]
        assert list(integrity.findings(environment.path, installed, unhashed=True)) == []
        for one in installed:
            assert Path(environment.path, LIBRARIES[one.name][0]).read_bytes() == b"data"
            subprocess.run([f"{environment.path}/bin/python", "-I", "-c", f"import {one.name}"], check=True)


@pytest.mark.slow
def test_byte_code_of_a_pip_that_somebody_else_installed(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip's byte code is not there for a Python, and cannot be written there, it is kept in the cache."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: f"{os.sep}pip" not in path and access(path, mode))
    maker.make("demo")
    kept = Path(maker.cache, "v1", "pip", "bytecode")
    assert len(list(kept.rglob("pip/_internal/__init__.*.pyc"))) == 1
