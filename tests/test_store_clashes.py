"""Distributions that bring one file each with other content, and builds that become another one each time."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from support import index as indexes
from support import varied
from support.index import Index
from support.maker import Maker, module
from support.user import User

from scriptrun import generations
from scriptrun.store import kept, placing

BUILT = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": varied.BACKEND.replace("NAME", "built")
    .replace("V = 'built'", "V = %d")
    .replace(
        '\\n", "built-1.0.dist-info/METADATA', '\\n" % __import__("time").time_ns(), "built-1.0.dist-info/METADATA'
    ),
}


def clashing(index: Index) -> None:
    """Add two distributions with the same module, and the same command, that are not the same in them."""
    for name in ("first", "second"):
        files = {"shared.py": f"def main():\n    print('{name}')\n", f"{name}.py": ""}
        target = "shared:main" if name == "first" else "shared:main.__call__"
        index.add(indexes.wheel(name, "1.0", files=files, scripts={"tool": target}))


def shared(environment: Any) -> str:
    """Return what the module that both bring holds."""
    return module(environment, "shared.py").read_text()


def test_the_last_one_wins_as_with_pip(tmp_path: Path, index: Index) -> None:
    """pip decides which of two files it is, whether one, both or none of the distributions is kept already."""
    clashing(index)
    wanted = shared(Maker(tmp_path / "none", index.url).make("first", "second"))
    maker = Maker(tmp_path / "both", index.url)
    maker.make("first")
    assert shared(maker.make("first", "second")) == wanted
    maker.make("second")
    names = sorted(os.listdir(f"{maker.cache}/v1/store"))
    assert [name.partition("-")[0] for name in names] == ["first", "second"]
    both = maker.make("second", "first>=1")
    assert sorted(os.listdir(f"{maker.cache}/v1/store")) == names
    assert [bool(one["kept"]) for one in both.distributions].count(False) == 1
    assert module(maker.make("first>=0"), "shared.py").read_text() == "def main():\n    print('first')\n"
    assert module(maker.make("second>=0"), "shared.py").read_text() == "def main():\n    print('second')\n"


@pytest.mark.slow
def test_environments_with_clashes_are_sound(user: User, index: Index) -> None:
    """The same script gets the same module each time, whatever is kept, and `cache verify` finds nothing wrong."""
    clashing(index)
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("both.py", "first", "second", body="import shared; shared.main()\n")
    first = user.run("./both.py")
    assert (first.status, first.err) == (0, "")
    for name in ("first", "second"):
        user.script(f"{name}.py", name, body="import shared; shared.main()\n")
        assert user.run(f"./{name}.py") == (0, f"{name}\n", "")
        shutil.rmtree(user.cache / "v1/envs")
        assert user.run("./both.py") == first
        assert user.run("scriptrun", "cache", "verify") == (0, "", "")
        assert user.run(f"./{name}.py") == (0, f"{name}\n", "")
    (damaged,) = [path for path in user.cache.glob("v1/envs/*/*/lib/*/*/shared.py") if has_both(path)]
    damaged.unlink()
    damaged.write_text("neither\n")
    verified = user.run("scriptrun", "cache", "verify")
    assert verified.status == 1
    assert sorted(line.partition(": ")[2] for line in verified.out.splitlines()) == [
        "first 1.0: shared.py differs",
        "second 1.0: shared.py differs",
    ]


def has_both(path: Path) -> bool:
    """Tell whether both distributions are where this module is."""
    return all((path.parent / f"{name}.py").exists() for name in ("first", "second"))


@pytest.mark.parametrize("named", [("first", "second"), ("second", "first")])
def test_clashes_are_left_to_pip(tmp_path: Path, index: Index, named: tuple[str, str]) -> None:
    """What cannot be put together is pip's to decide, and nothing is removed from the store for it."""
    index.add(indexes.wheel("first", "1.0", files={"data/one.txt": "1"}))
    index.add(indexes.wheel("second", "1.0", files={"data/one.txt": "2", "own.py": ""}))
    maker = Maker(tmp_path, index.url)
    for name in named:
        maker.make(name)
    before = sorted(os.listdir(f"{maker.cache}/v1/store"))
    maker.make("first", "second")
    assert maker.unpacked in (["second", "first"], ["first", "second"])
    assert sorted(os.listdir(f"{maker.cache}/v1/store")) == before


@pytest.mark.slow
def test_a_build_that_differs_takes_the_place_of_what_is_kept(user: User, index: Index) -> None:
    """What was built anew is what a script gets; environments keep theirs, and each RECORD is true."""
    index.add(indexes.sdist("built", "1.0", BUILT), indexes.wheel("demo", "2.0"))
    user.variables |= {"PIP_INDEX_URL": index.url, "PIP_NO_CACHE_DIR": "1"}
    for name, more in (("one", []), ("two", ["demo"])):
        user.script(f"{name}.py", "built", *more, body="import built; print(built.V)\n")
    one, two = user.run("./one.py"), user.run("./two.py")
    assert (one.status, one.err, two.status, two.err) == (0, "", 0, "")
    assert one.out != two.out
    assert user.run("./one.py") == one
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")
    (kept,) = user.cache.glob("v1/store/built-*/content/site/built.py")
    assert kept.read_text() == f"V = {two.out}"
    fresh = user.run("scriptrun", "--refresh", "one.py")
    assert len({one.out, two.out, fresh.out}) == 3
    assert user.run("./one.py") == fresh
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")
    (kept,) = user.cache.glob("v1/store/built-*/content/site/built.py")
    assert kept.read_text() == f"V = {fresh.out}"


def test_nobody_deletes_what_others_gather(tmp_path: Path, index: Index) -> None:
    """What has the number of this process, or of none, may be another machine's: it stays, also if a build fails."""
    index.add(indexes.wheel("demo", "2.0"))
    maker = Maker(tmp_path, index.url)
    maker.make("demo")
    store = Path(maker.cache, "v1/store")
    (name,) = os.listdir(store)
    shutil.rmtree(store / name)
    others = [f"{name}.{process}.0123abcd" for process in (os.getpid(), 1, 4194304)]
    for other in others:
        (store / other).mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(generations, "settle", refuse)
        with pytest.raises(Exception, match="disk is full"):
            maker.make("demo>=1")
    assert sorted(os.listdir(store)) == sorted(others)
    maker.make("demo>=1")
    assert sorted(os.listdir(store)) == sorted([name, *others])


def refuse(*_: object) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize(
    ("where", "name"), [(placing.Placing, "share"), (kept, "describe"), (kept, "finish"), (kept, "begin")]
)
def test_what_cannot_be_kept_is_run(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    """Where there is no room to keep what pip installed, the environment is whole, the reason shown, nothing left."""
    index.add(indexes.wheel("demo", "2.0"))
    maker = Maker(tmp_path, index.url)
    with monkeypatch.context() as patched:
        patched.setattr(where, name, refuse)
        environment = maker.make("demo")
    assert module(environment, "demo.py").read_text() == "V = '2.0'\n"
    assert [one["kept"] for one in environment.distributions] == [""]
    assert [line for line in maker.said if line.startswith("not kept") and line.endswith(": [Errno 28] full")] != []
    assert list(Path(maker.cache, "v1").glob("store/*")) == []
    assert [one["kept"] for one in maker.make("demo>=1").distributions] != [""]
