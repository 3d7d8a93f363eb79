"""Byte code that is taken over from environments, and given to those that are put together later."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import index as indexes
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow

PRUNE = ("scriptrun", "cache", "prune", "--older-than", "99d")

TAG = sys.implementation.cache_tag

SHOW = """\
import sys
if not sys.argv[1:]:
    import demo, demo.part
    print(demo.part.where.__code__.co_filename == demo.part.__file__)
"""


@pytest.fixture
def sharing(user: User, index: Index) -> User:
    """A user with scripts that share a distribution; one of them ran, and imported it."""
    user.variables["PIP_INDEX_URL"] = index.url
    files = {"demo/__init__.py": "", "demo/part.py": "def where(): pass\n", "demo/unused.py": ""}
    index.add(indexes.wheel("demo", "1.0", files=files), indexes.wheel("more", "1.0"))
    user.script("one.py", "demo", body=SHOW)
    user.script("two.py", "demo", "more", body=SHOW)
    assert user.run("./one.py") == (0, "True\n", "")
    return user


def compiled(top: Path) -> dict[str, int]:
    """Return the inodes of all byte code below a directory, by name."""
    return {path.name: path.stat().st_ino for path in top.rglob("*.pyc")}


def store(user: User) -> Path:
    """Return the directory of `demo` in the store."""
    (found,) = user.cache.glob("v1/store/demo-*")
    return found


def prepared(user: User, script: str, *options: str) -> Path:
    """Return a new environment of a script, which did not run yet."""
    before = user.environments()
    assert user.run("scriptrun", *options, script, "import nothing") == (0, "", "")
    (found,) = set(user.environments()) - set(before)
    return found


def test_what_was_compiled_once_is_not_again(sharing: User) -> None:
    """What a script imported comes compiled for the next one, as links that Python uses, also when the first went."""
    assert sharing.run(*PRUNE) == (0, "removed 0 environments, 0 B freed\n", "")
    kept = compiled(store(sharing))
    assert sorted(kept) == [f"__init__.{TAG}.pyc", f"part.{TAG}.pyc"]
    (first,) = sharing.environments()
    assert {name: compiled(first)[name] for name in kept} == kept
    assert {path.stat().st_mode & 0o222 for path in store(sharing).rglob("*.pyc")} == {0}
    shutil.rmtree(first.parent)
    second = prepared(sharing, "two.py")
    assert compiled(second) == kept
    ran = sharing.run(second / "bin/python", "-v", "two.py")
    assert (ran.status, ran.out) == (0, "True\n")
    assert f"/demo/__pycache__/part.{TAG}.pyc matches" in ran.err
    assert sharing.run("./two.py") == (0, "True\n", "")
    assert compiled(second) == kept
    assert sharing.run("scriptrun", "cache", "verify") == (0, "", "")


Change = Callable[[Path, Path], None]


def header(magic: bytes | None = None, flags: int = 0, said: bytes | None = None) -> Change:
    """Return what writes another header into byte code, as a program would that replaces the file."""

    def change(path: Path, _source: Path) -> None:
        content = path.read_bytes()
        path.unlink()
        head = (magic or content[:4]) + flags.to_bytes(4, "little") + (said or content[8:16])
        path.write_bytes(head + content[16:])

    return change


def rename(suffix: str) -> Change:
    """Return what gives byte code another suffix."""
    return lambda path, _source: os.rename(path, path.with_name(f"part.{TAG}{suffix}.pyc"))


def replace_source(_path: Path, source: Path) -> None:
    """Replace a module by a file of its own, that looks the same."""
    status = source.stat()
    content = source.read_bytes()
    source.unlink()
    source.write_bytes(content)
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))


def cut_off(path: Path, _source: Path) -> None:
    """Let the end of byte code be missing."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])


def lead_elsewhere(path: Path, _source: Path) -> None:
    """Let byte code be a link."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


DOUBTFUL: dict[str, Change] = {
    "magic": header(magic=b"\x01\x02\r\n"),
    "flags": header(flags=2),
    "checked": header(flags=3, said=importlib.util.source_hash(b"def where(): pass\n")),
    "hash": header(flags=1, said=importlib.util.source_hash(b"other")),
    "mtime": header(said=bytes(4) + len(b"def where(): pass\n").to_bytes(4, "little")),
    "optimised": rename(".opt-1"),
    "of pytest": rename("-pytest-9"),
    "replaced source": replace_source,
    "cut off": cut_off,
    "link": lead_elsewhere,
}


def found(top: Path, name: str) -> Path:
    """Return the one file below a directory that has this name."""
    (path,) = top.rglob(name)
    return path


def test_nothing_is_taken_that_is_in_doubt(sharing: User) -> None:
    """Byte code counts only with the header that this Python writes for the source that is kept, by its plain name."""
    (environment,) = sharing.environments()
    source, code = found(environment, "part.py"), found(environment, f"part.{TAG}.pyc")
    original, kept = code.read_bytes(), found(store(sharing), "part.py")
    wrong_size = header(said=original[8:12] + (99).to_bytes(4, "little"))
    taken = {}
    for doubt, change in {**DOUBTFUL, "size": wrong_size, "none": lambda *_: None}.items():
        change(code, source)
        assert sharing.run(*PRUNE) == (0, "removed 0 environments, 0 B freed\n", "")
        taken[doubt] = sorted(compiled(store(sharing)))
        for path in [*code.parent.glob("part.*"), code.parent / "elsewhere"]:
            path.unlink(missing_ok=True)
        code.write_bytes(original)
        source.unlink()
        os.link(kept, source)
    first = f"__init__.{TAG}.pyc"
    assert taken == {**{doubt: [first] for doubt in [*DOUBTFUL, "size"]}, "none": [first, f"part.{TAG}.pyc"]}


def test_what_sync_compiled_is_shared(sharing: User) -> None:
    """Byte code by the hash of its source is taken over too, and is not made again for the next environment."""
    (environment,) = sharing.environments()
    shutil.rmtree(environment / "lib" / os.listdir(environment / "lib")[0] / "site-packages/demo/__pycache__")
    assert sharing.run("scriptrun", "sync", "one.py").status == 0
    assert sharing.run(*PRUNE).status == 0
    kept = compiled(store(sharing))
    assert sorted(kept) == [f"{name}.{TAG}.pyc" for name in ("__init__", "part", "unused")]
    assert sharing.run("scriptrun", "sync", "two.py").status == 0
    (second,) = set(sharing.environments()) - {environment}
    assert {name: compiled(second)[name] for name in kept} == kept


def test_each_python_has_its_own(sharing: User, pythons: list[Path]) -> None:
    """Byte code of another Python lies beside, and each gets what its version wrote."""
    other = next(one for one in reversed(pythons) if one != Path(sys.executable).resolve())
    tag = f"cpython-{other.name.removeprefix('python').replace('.', '')}"
    assert sharing.run("scriptrun", "-p", str(other), "one.py") == (0, "True\n", "")
    assert sharing.run(*PRUNE).status == 0
    kept = compiled(store(sharing))
    assert sorted(kept) == sorted(f"{name}.{one}.pyc" for name in ("__init__", "part") for one in (TAG, tag))
    for python, own in ((Path(sys.executable), TAG), (other, tag)):
        second = prepared(sharing, "two.py", "-p", str(python))
        assert compiled(second) == {name: inode for name, inode in kept.items() if f".{own}." in name}


def test_damage_is_found_and_not_spread(sharing: User) -> None:
    """Byte code that changed in the store is given to nobody, and `cache verify` tells; the next look replaces it."""
    assert sharing.run(*PRUNE).status == 0
    damaged = found(store(sharing), f"part.{TAG}.pyc")
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content + b"x")
    second = prepared(sharing, "two.py")
    assert sorted(compiled(second)) == [f"__init__.{TAG}.pyc"]
    verified = sharing.run("scriptrun", "cache", "verify")
    assert verified.status == 1
    assert verified.out.startswith(
        f"store: {store(sharing).name}: site/demo/__pycache__/part.{TAG}.pyc differs; held by"
    )
    assert sharing.run("./two.py") == (0, "True\n", "")
    assert sharing.run(*PRUNE).status == 0
    assert found(store(sharing), f"part.{TAG}.pyc").read_bytes() == content
    assert sharing.run("scriptrun", "cache", "verify") == (0, "", "")


def room(user: User) -> int:
    """Return the bytes that environments and store take, links counted once."""
    files = {path.lstat() for name in ("envs", "store") for path in (user.cache / "v1" / name).rglob("*")}
    return sum({one.st_ino: one.st_blocks * 512 for one in files}.values())


def test_room_is_told_and_given_back(sharing: User) -> None:
    """Sizes know of the byte code, counted once, and it goes with its distribution."""
    told = sharing.run("scriptrun", "cache", "list", "--json").out  # measured before
    assert '"freed"' in told
    assert sharing.run(*PRUNE).status == 0
    (listed,) = json.loads(sharing.run("scriptrun", "cache", "list", "--json").out)
    before, above = room(sharing), Path(listed["path"]).parent.stat().st_blocks * 512
    assert sharing.run("scriptrun", "cache", "prune", "--all", "--grace", "0").status == 0
    assert listed["freed"] == before - room(sharing) - above
    assert list((sharing.cache / "v1/store").iterdir()) == []


def test_a_store_that_nobody_may_write_to_stays_as_it_is(sharing: User) -> None:
    """Nothing is said where byte code cannot be taken over, and where it is damaged the rest is put together."""
    assert sharing.run(*PRUNE).status == 0
    (listing,) = store(sharing).glob(f"files.{TAG}")
    listing.write_text("scriptrun kept 1\n")
    second = prepared(sharing, "two.py")
    assert compiled(second) == {}
    blocked = store(sharing) / f"files.{TAG}.new"
    blocked.mkdir()
    assert sharing.run("./two.py") == (0, "True\n", "")
    assert sharing.run(*PRUNE) == (0, "removed 0 environments, 0 B freed\n", "")
    assert listing.read_text() == "scriptrun kept 1\n"


def test_pip_removes_what_was_linked(sharing: User) -> None:
    """`pip uninstall` leaves nothing of a distribution whose byte code came from the store, and the store as it is."""
    assert sharing.run(*PRUNE).status == 0
    second = prepared(sharing, "two.py")
    before = {path: path.stat().st_size for path in store(sharing).rglob("*")}
    command = (sys.executable, "-I", "-m", "pip", "--python", second / "bin/python", "uninstall", "--yes", "demo")
    assert sharing.run(*command, PIP_DISABLE_PIP_VERSION_CHECK="1").status == 0
    assert [path.name for path in second.glob("lib/*/site-packages/demo*")] == []
    assert {path: path.stat().st_size for path in store(sharing).rglob("*")} == before
