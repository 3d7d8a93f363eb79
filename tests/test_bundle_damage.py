"""Bundles that are damaged, or for another machine: refused in plain words, and nothing half-built stays."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import hosts
from support import user as users
from support.hosts import Host
from support.index import Index

WHEEL = "wheels/demo-2.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, command: Path, shared_index: Index) -> Path:
    """A bundle of a script with two wheels."""
    author = users.create(tmp_path_factory.mktemp("author"), command, shared_index.url)
    return hosts.make(author, author.script("job.py", "demo", "tool", body="import demo; print(demo.V)\n"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host where nothing ran yet."""
    return hosts.create(tmp_path / "host", Path(sys.executable).resolve())


def changed(bundle: Path, target: Path, **members: Callable[[bytes], bytes]) -> Path:
    """Write a bundle to `target` of which some members are others: a zip that is whole."""
    with zipfile.ZipFile(bundle) as before, target.open("wb") as file:
        file.write(bundle.read_bytes().partition(b"\n")[0] + b"\n")
        with zipfile.ZipFile(file, "w") as after:
            for one in before.infolist():
                content = before.read(one)
                after.writestr(one, members[one.filename](content) if one.filename in members else content)
    return target


def table(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    """Return what changes the table of a bundle."""

    def changed(content: bytes) -> bytes:
        found = json.loads(content)
        change(found)
        return json.dumps(found).encode()

    return changed


def refuse(host: Host, bundle: Path) -> str:
    """Expect a bundle to be refused, and nothing to be left of it; return what is said, with IT for its path."""
    for _ in range(2):
        status, out, err = host.run(bundle)
        assert (status, out) == (125, "")
        assert err.startswith("scriptrun: error: ")
        assert "Traceback" not in err
        left = {path for part in ("envs/*", "keys/*", "store/*", "answers/*") for path in host.cache.glob(f"v1/{part}")}
        assert left == set()
    return err.removeprefix("scriptrun: error: ").replace(f"`{bundle}`", "IT")


def test_another_wheel(host: Host, bundle: Path, tmp_path: Path) -> None:
    """A wheel that is whole and not the one that was locked is refused, and so are those that were before it."""
    other = changed(bundle, tmp_path / "job.pyz", **{WHEEL: lambda content: content + b"\0"})
    said = refuse(host, other)
    assert said.startswith("IT is damaged: `demo-2.0-py3-none-any.whl` is not the one that was locked")
    last = changed(bundle, tmp_path / "job.pyz", **{"wheels/tool-1.0-py3-none-any.whl": lambda _: b""})
    assert "`tool-1.0-py3-none-any.whl` is not the one" in refuse(host, last)
    assert host.run(bundle) == (0, "2.0\n", "")


def test_flipped_bits(host: Host, bundle: Path, tmp_path: Path) -> None:
    """Bits that a disk or a network turned over are noticed in each part that makes the environment."""
    content = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        for name in ("script/job.py", WHEEL, "bundle.json", "extras/0"):
            one = archive.getinfo(name)
            at = one.header_offset + 30 + len(name) + one.compress_size // 2
            damaged = tmp_path / "job.pyz"
            damaged.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            assert refuse(host, damaged).startswith("IT is damaged: "), name


def test_cut_short(host: Host, bundle: Path, tmp_path: Path) -> None:
    """Of a file that is not all there Python starts nothing, and nothing is made."""
    content = bundle.read_bytes()
    for length in (len(content) // 2, len(content) - 1):
        short = tmp_path / "job.pyz"
        short.write_bytes(content[:length])
        status, out, err = host.run(short)
        assert (status, out, bool(err)) == (1, "", True)
        assert not host.cache.exists()


@pytest.mark.slow
def test_another_version_of_the_table(host: Host, bundle: Path, tmp_path: Path) -> None:
    """What another version of scriptrun wrote, or nobody did, is not guessed at."""

    def newer(found: Any) -> None:
        found["format"] = 99

    def lacking(found: Any) -> None:
        del found["wheels"][0]["files"]

    def climbing(found: Any) -> None:
        found["wheels"][0]["files"][0][0] = "site/../../../../climbed"

    def anywhere(found: Any) -> None:
        found["wheels"][0]["metadata"] = "../.."

    def named(found: Any) -> None:
        found["wheels"][0]["distribution"]["kept"] = "../../x"

    said = [
        refuse(host, changed(bundle, tmp_path / "job.pyz", **{"bundle.json": table(one)}))
        for one in (newer, lacking, climbing, anywhere, named)
    ]
    assert said[0].startswith("the bundle was made by another version of scriptrun")
    assert all("damaged" in one for one in said[1:])
    assert list(host.user.home.parent.rglob("climbed")) == []


def test_another_platform(host: Host, bundle: Path, tmp_path: Path) -> None:
    """A wheel that this machine cannot use is named, with what the machine is."""
    foreign = "demo-2.0-cp311-cp311-manylinux_2_28_s390x.whl"

    def rename(found: Any) -> None:
        found["wheels"][0]["file"] = foreign

    said = refuse(host, changed(bundle, tmp_path / "job.pyz", **{"bundle.json": table(rename)}))
    assert said.startswith(f"the bundle is for another machine: `{foreign}` cannot be used by cpython ")


def test_python_that_is_too_old_to_read_it(host: Host, bundle: Path, pythons: list[Path]) -> None:
    """Python 3.8 and 3.9, which cannot run scriptrun's own code, say which Python it takes."""
    old = [one for one in pythons if one.name in ("python3.8", "python3.9")]
    for python in old:
        ran = host.user.run(python, bundle)
        assert (ran.status, ran.out) == (125, "")
        assert ran.err.startswith(f"scriptrun: error: `{bundle}` is for python3.{sys.version_info[1]}, and `{python}`")
        assert not host.cache.exists()


def test_script_in_the_cache_that_was_cut(host: Host, bundle: Path) -> None:
    """A script in the cache that is not as long as the bundle's is replaced."""
    assert host.run(bundle) == (0, "2.0\n", "")
    (file,) = host.cache.glob("v1/bundles/*/job.py")
    file.write_text("")
    assert host.run(bundle) == (0, "2.0\n", "")
