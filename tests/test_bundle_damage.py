"""Bundles that are damaged, or for another machine: refused in plain words, and nothing half-built stays."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import everybody, hosts
from support import index as indexes
from support import user as users
from support.hosts import Host
from support.index import Index

from scriptrun.bundle import contents as tables

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
    """Write a bundle to `target` of which some members are others: a zip that is whole, and knows its digest."""
    with zipfile.ZipFile(bundle) as before, target.open("wb") as file:
        file.write(bundle.read_bytes().partition(b"\n")[0] + b"\n")
        found = {name: before.read(name) for name in before.namelist()}
        now = {name: members[name](content) if name in members else content for name, content in found.items()}
        if "__main__.py" not in members:
            now["__main__.py"] = found["__main__.py"].replace(identity(found), identity(now))
        with zipfile.ZipFile(file, "w") as after:
            for one in before.infolist():
                after.writestr(one, now[one.filename])
    return target


def identity(members: dict[str, bytes]) -> bytes:
    """Return the digest by which the first lines of a bundle know what is in it."""
    locks = [content for name, content in members.items() if name.startswith("script/pylock.")]
    return tables.identity(members["bundle.json"], members["script/job.py"], locks).encode()


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
        parts = ("envs/*", "keys/*", "store/*", "answers/*", "bundles/*")
        left = {path for part in parts for path in host.cache.glob(f"v1/{part}")}
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
        extra = next(name for name in archive.namelist() if name.startswith("extras/"))
        for name in ("script/job.py", WHEEL, "bundle.json", extra):
            one = archive.getinfo(name)
            at = one.header_offset + 30 + len(name) + one.compress_size // 2
            damaged = tmp_path / "job.pyz"
            damaged.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            assert refuse(host, damaged).startswith("IT is damaged: "), name


@pytest.mark.parametrize(("at", "bit"), [(0, 1), (6, 1), (8, 1), (10, 4), (28, 16), (42, 1), (43, 128)])
def test_flipped_bits_of_the_list(host: Host, bundle: Path, tmp_path: Path, at: int, bit: int) -> None:
    """Bits turned over in what the zip says of a member, as that it has a password, are damage too."""
    for name in ("script/job.py", WHEEL, "bundle.json"):
        content = bytearray(bundle.read_bytes())
        entry = content.rindex(b"PK\1\2", 0, content.rindex(name.encode()))
        content[entry + at] ^= bit
        damaged = tmp_path / "job.pyz"
        damaged.write_bytes(content)
        status, out, err = host.run(damaged)
        assert "Traceback" not in err or "zipimport" in err, (name, err)  # Python itself reads that list first
        assert (status, out) in ((125, ""), (0, "2.0\n"), (1, "")), (name, err)


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

    expected = {
        newer: "the bundle was made by another version of scriptrun",
        lacking: "the bundle is damaged: what it says of itself cannot be read",
        climbing: "IT is damaged: `demo-2.0-py3-none-any.whl` has files at impossible places",
        anywhere: "IT is damaged: `demo-2.0-py3-none-any.whl` has files at impossible places",
        named: "IT is damaged: `demo` cannot be kept",
    }
    for change, said in expected.items():
        assert refuse(host, changed(bundle, tmp_path / "job.pyz", **{"bundle.json": table(change)})).startswith(said)
    assert list(host.user.home.parent.rglob("climbed")) == []


def test_store_holds_what_its_names_say(host: Host, bundle: Path, tmp_path: Path) -> None:
    """A bundle cannot put another wheel, or another file, under the hash of the one that was locked."""
    evil = indexes.wheel("demo", "2.0", files={"demo.py": "V = 'another'\n"})[1]

    def wheel(found: Any) -> None:
        found["wheels"][0]["sha256"] = hashlib.sha256(evil).hexdigest()

    def kept(found: Any) -> None:
        found["wheels"][0]["distribution"]["kept"] = f"demo-2.0-{found['wheels'][0]['sha256'][:32]}"

    def record(found: Any) -> None:
        (one,) = [one for one in found["wheels"][0]["files"] if one[0] == "site/demo.py"]
        one[1] = next(other[1] for other in found["wheels"][0]["files"] if other[0].endswith("/METADATA"))

    expected = {
        wheel: "IT is damaged: `demo-2.0-py3-none-any.whl` is not the one that was locked",
        kept: "IT is damaged: `demo` cannot be kept",
        record: "IT is damaged: `demo.py` is not as it was, its hash is another",
    }
    for change, said in expected.items():
        members = {"bundle.json": table(change), **({WHEEL: lambda _: evil} if change is wheel else {})}
        assert refuse(host, changed(bundle, tmp_path / "job.pyz", **members)).startswith(said)


def test_extra_that_is_another(host: Host, bundle: Path, tmp_path: Path) -> None:
    """What is in no wheel, as a command, is what its name says."""
    with zipfile.ZipFile(bundle) as archive:
        extras = [name for name in archive.namelist() if name.startswith("extras/")]
    for name in extras:
        assert "its hash is another" in refuse(
            host, changed(bundle, tmp_path / "job.pyz", **{name: lambda _: b"other"})
        )


def test_replaced_while_it_starts(host: Host, bundle: Path, tmp_path: Path) -> None:
    """The script of a bundle that took the place of the one that Python started is not taken for that one's."""
    with zipfile.ZipFile(bundle) as archive:
        main = archive.read("__main__.py")
    members = {"__main__.py": lambda _: main, "script/job.py": lambda content: content.replace(b"demo.V", b"'evil'")}
    said = refuse(host, changed(bundle, tmp_path / "job.pyz", **members))
    assert said.startswith("IT was replaced while it started")
    assert host.run(bundle) == (0, "2.0\n", "")


@pytest.mark.parametrize("whose", ["script", "wheel"])
def test_python_that_is_not_allowed(host: Host, bundle: Path, tmp_path: Path, whose: str) -> None:
    """Requires-Python counts to its last number, that of the script and that of each wheel."""
    version = ".".join(map(str, sys.version_info[:3]))

    def require(found: Any, specifier: str) -> None:
        place = found if whose == "script" else found["wheels"][0]["described"]
        place["requires_python"] = specifier

    wrong = changed(bundle, tmp_path / "job.pyz", **{"bundle.json": table(lambda found: require(found, f">{version}"))})
    said = refuse(host, wrong)
    assert f" does not allow cpython {version} " in said
    assert f"it requires Python `>{version}`" in said
    right = changed(
        bundle, tmp_path / "job.pyz", **{"bundle.json": table(lambda found: require(found, f"=={version}"))}
    )
    assert host.run(right) == (0, "2.0\n", "")


def test_set_for_another_machine(host: Host, bundle: Path, tmp_path: Path) -> None:
    """A set that markers chose for another machine is refused, though all of its wheels could be used."""
    here = f"{sys.platform} {os.uname().machine}"

    def move(found: Any) -> None:
        assert found["machine"] == here
        found["machine"] = "win32 AMD64"

    said = refuse(host, changed(bundle, tmp_path / "job.pyz", **{"bundle.json": table(move)}))
    assert said.startswith(
        f"the bundle is for another machine: what it holds was chosen for win32 AMD64, and this is {here}"
    )


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
    if not old:
        everybody.lack("Python 3.8 or 3.9 is missing: install one, as with pyenv")
    for python in old:
        ran = host.user.run(python, bundle)
        assert (ran.status, ran.out) == (125, "")
        assert ran.err.startswith(f"scriptrun: error: `{bundle}` is for python3.{sys.version_info[1]}, and `{python}`")
        assert not host.cache.exists()


def test_script_in_the_cache_that_was_cut(host: Host, bundle: Path) -> None:
    """A script in the cache that is not as long as the bundle's is replaced."""
    assert host.run(bundle) == (0, "2.0\n", "")
    (file,) = host.cache.glob("v1/bundles/*/job.py")
    file.chmod(0o600)
    file.write_text("")
    assert host.run(bundle) == (0, "2.0\n", "")


def test_script_in_the_cache_that_was_changed(host: Host, bundle: Path) -> None:
    """The script in the cache is read-only; `sync` puts the bundle's in the place of one that somebody changed."""
    assert host.run(bundle) == (0, "2.0\n", "")
    (file,) = host.cache.glob("v1/bundles/*/job.py")
    assert file.stat().st_mode & 0o777 == 0o400
    content = file.read_text()
    file.chmod(0o600)
    file.write_text(content.replace("demo.V", "'evil'"))
    assert host.run(bundle, SCRIPTRUN_BUNDLE="sync").status == 0
    assert host.run(bundle) == (0, "2.0\n", "")
