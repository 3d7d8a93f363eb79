"""`scriptrun lock`: what it writes, keeps and tells."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User


@pytest.fixture
def own(index: Index, tmp_path: Path, command: Path) -> User:
    """A user whose index has `demo` 1.0 and `other` 1.0, which requires demo."""
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("other", "1.0", requires=["demo"]))
    return users.create(tmp_path / "own", command, index.url)


def listed(user: User) -> list[str]:
    """Return the names in a user's directory."""
    return sorted(path.name for path in user.directory.iterdir())


@pytest.mark.slow
def test_versions_stay_until_an_upgrade(own: User, index: Index) -> None:
    """What is locked stays as long as it fits, also when something is added; --upgrade takes the newest of all."""
    script = own.script("s.py", "demo")
    lock = own.directory / "pylock.s.toml"
    assert own.run("scriptrun", "lock", script) == (0, f"{lock}\n", "+ demo 1.0\n")
    first = lock.stat()
    index.add(indexes.wheel("demo", "2.0"), indexes.wheel("other", "2.0", requires=["demo"]))
    assert own.run("scriptrun", "lock", script) == (0, f"{lock}\n", "")
    assert (lock.stat().st_ino, lock.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    own.script("s.py", "demo", "other")
    assert own.run("scriptrun", "lock", script) == (0, f"{lock}\n", "+ other 2.0\n")
    assert own.run("scriptrun", "-q", "lock", "--upgrade", script) == (0, f"{lock}\n", "")
    own.script("s.py", "demo<2")
    assert own.run("scriptrun", "lock", script) == (0, f"{lock}\n", "demo 2.0 → 1.0\n- other 2.0\n")
    own.script("s.py", "demo")
    assert own.run("scriptrun", "lock", "--upgrade", script) == (0, f"{lock}\n", "demo 1.0 → 2.0\n")
    assert lock.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.slow
def test_versions_that_cannot_stay_are_chosen_anew(own: User, index: Index) -> None:
    """Where a new requirement forbids what was locked for another one, all are chosen anew, and that is told."""
    script = own.script("s.py", "other")
    assert own.run("scriptrun", "lock", script).err == "+ demo 1.0\n+ other 1.0\n"
    index.add(indexes.wheel("demo", "2.0"), indexes.wheel("late", "1.0", requires=["demo>=2"]))
    own.script("s.py", "other", "late")
    told = (
        "scriptrun: note: pip cannot keep the versions that were locked with what is asked for now: all are chosen anew"
    )
    assert own.run("scriptrun", "lock", script).err == f"{told}\ndemo 1.0 → 2.0\n+ late 1.0\n"


@pytest.mark.slow
def test_index_that_cannot_be_reached_is_told(own: User) -> None:
    """pip is asked once, and nothing is said of versions that cannot be kept; the lock stays."""
    script = own.script("s.py", "demo")
    assert own.run("scriptrun", "-q", "lock", script).status == 0
    before = (own.directory / "pylock.s.toml").read_bytes()
    finished = own.run("scriptrun", "lock", script, PIP_INDEX_URL="http://127.0.0.1:9/simple/", PIP_RETRIES="0")
    assert (finished.status, finished.out) == (125, "")
    assert "the index cannot be reached" in finished.err
    assert "cannot keep" not in finished.err
    assert (own.directory / "pylock.s.toml").read_bytes() == before


@pytest.mark.slow
def test_failure_changes_nothing(own: User) -> None:
    """Where pip finds no versions, the lock and the script stay as they were; the error names the line."""
    script = own.script("s.py", "demo")
    assert own.run("scriptrun", "lock", "--embed", script).status == 0
    script.write_text(script.read_text().replace('"demo"', '"demo>5"'))
    before = script.read_bytes()
    for words in (("lock",), ("lock", "--embed")):
        finished = own.run("scriptrun", *words, script)
        assert (finished.status, finished.out) == (125, "")
        assert f"{script}:4: no version satisfies `demo>5`" in finished.err
    assert (script.read_bytes(), listed(own)) == (before, ["s.py"])
    assert list((own.cache / "v1/isolated").iterdir()) == []


@pytest.mark.slow
def test_lock_never_appears_by_itself(own: User) -> None:
    """Running, preparing, exporting and showing write nothing beside the script."""
    script = own.script("s.py", "demo")
    before = script.read_bytes()
    assert "\nlock:" not in own.run("scriptrun", "--explain", script).out
    words = (("tree",), ("export",), ("export", "--format=pylock"), (), ("sync",), ("--explain",), ("env",))
    assert [own.run("scriptrun", *one, script).status for one in words] == [0] * len(words)
    assert (script.read_bytes(), listed(own)) == (before, ["s.py"])


@pytest.mark.slow
def test_lock_of_another_tool_stays(own: User) -> None:
    """A lock that another tool made is neither used nor overwritten; a damaged one of any tool is replaced."""
    script = own.script("s.py", "demo", body="print(1)\n")
    lock = own.write("pylock.s.toml", 'lock-version = "1.0"\ncreated-by = "somebody"\npackages = []\n')
    for words in ((), ("lock",), ("lock", "--embed")):
        finished = own.run("scriptrun", *words, script)
        assert (finished.status, finished.out) == (125, "")
        assert f"{lock}: the lock was made by somebody, which does not say what from" in finished.err
    assert "somebody" in lock.read_text()
    lock.write_text("<<<<<<< HEAD\n")
    assert own.run("scriptrun", "lock", script) == (0, f"{lock}\n", "+ demo 1.0\n")
    assert own.run(script) == (0, "1\n", "")


@pytest.mark.slow
def test_place_changes(own: User) -> None:
    """--embed takes the lock beside the script away, and without it the one inside goes; links stay links."""
    script = own.script("real/s.py", "demo")
    plain = script.read_bytes()
    link = own.directory / "s.py"
    link.symlink_to("real/s.py")
    beside = own.directory / "real/pylock.s.toml"
    assert own.run("scriptrun", "lock", link) == (0, f"{beside}\n", "+ demo 1.0\n")
    explained = own.run("scriptrun", "--explain", link).out
    assert f"lock:        {beside}, for cpython " in explained
    assert "record:      none yet: a run writes it" in explained
    assert script.read_bytes() == plain
    assert own.run("scriptrun", "lock", "--embed", link) == (0, f"{script}\n", "")
    assert not beside.exists()
    assert own.run("scriptrun", "lock", link) == (0, f"{beside}\n", "")
    assert (script.read_bytes(), link.is_symlink(), script.stat().st_mode & 0o111) == (plain, True, 0o111)


@pytest.mark.slow
def test_python_of_a_lock_stays(own: User, pythons: list[Path]) -> None:
    """A script that was locked for another Python is locked for it again, unless one is asked for."""
    found = {
        own.run(one, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").out.strip(): one for one in pythons
    }
    newer = [version for version in found if int(version.split(".")[1]) >= 10]
    own.variables["PATH"] += "".join(f":{found[version].parent}" for version in newer)
    script = own.script("s.py")
    lock = own.directory / "pylock.s.toml"
    for words, version in (
        (("-p", newer[0]), newer[0]),
        ((), newer[0]),
        (("-p", newer[-1]), newer[-1]),
        ((), newer[-1]),
    ):
        assert own.run("scriptrun", "-q", "lock", *words, script).status == 0
        assert re.findall(r'^python = "(.*)"', lock.read_text(), re.MULTILINE) == [version]
    assert own.run("scriptrun", script).status == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ((), 2, "takes one script"),
        (("s.py", "t.py"), 2, "takes one script"),
        (("-",), 2, "takes one script"),
        (("/dev/null",), 2, "is not a file that can have a lock"),
        (("none.py",), 127, "no such file"),
        (("--with", "x", "s.py"), 2, "hint: put it into the block: scriptrun add"),
        (("--offline", "s.py"), 125, "--offline forbids"),
        (("--format=x", "s.py"), 2, "unknown option"),
    ],
)
def test_wrong_use(own: User, words: tuple[str, ...], status: int, told: str) -> None:
    """What cannot be locked is told, and nothing is written."""
    own.script("s.py", "demo")
    finished = own.run("scriptrun", "lock", *words)
    assert (finished.status, finished.out, told in finished.err) == (status, "", True)
    assert listed(own) == ["s.py"]


@pytest.mark.slow
@pytest.mark.parametrize("place", [(), ("--embed",)], ids=["beside", "inside"])
def test_edits_keep_the_lock_up_to_date(own: User, index: Index, place: tuple[str, ...]) -> None:
    """add, remove and upgrade make the lock anew, with what was locked kept; where pip fails, script and lock stay."""
    script = own.script("s.py", "demo", body="print(1)\n")
    assert own.run("scriptrun", "-q", "lock", *place, script).status == 0
    index.add(indexes.wheel("demo", "2.0"))
    assert own.run("scriptrun", "-q", "add", script, "other") == (0, "", "")
    assert own.run("scriptrun", "--locked", script) == (0, "1\n", "")
    assert own.run("scriptrun", "tree", script).out.splitlines()[0] == "demo 1.0"
    assert listed(own) == (["s.py"] if place else ["pylock.s.toml", "s.py"])
    before = [path.read_bytes() for path in own.directory.iterdir()]
    assert own.run("scriptrun", "-q", "add", script, "demo>5").status == 125
    assert [path.read_bytes() for path in own.directory.iterdir()] == before
    assert own.run("scriptrun", "-q", "remove", script, "other") == (0, "", "")
    assert own.run("scriptrun", "--locked", script) == (0, "1\n", "")
    assert own.run("scriptrun", "tree", script).out == "demo 1.0\n"
    own.script("s.py", "demo>=0.5", body="print(1)\n")
    assert own.run("scriptrun", "-q", "lock", *place, script).status == 0
    assert own.run("scriptrun", "-q", "upgrade", script) == (0, "", "")
    assert own.run("scriptrun", "--locked", script) == (0, "1\n", "")
    assert own.run("scriptrun", "tree", script).out == "demo 2.0 (>=2.0)\n"


def test_edits_tell_what_changed_in_the_lock(own: User, index: Index) -> None:
    """add and init say which distributions came, went, or are of another version in the lock, after the block's."""
    told = own.run("scriptrun", "init", "--lock", "--with", "demo<3", "s.py").err
    assert "+ demo<3\nscriptrun: note: in the lock: + demo 1.0\n" in told
    index.add(indexes.wheel("demo", "2.0"))
    told = own.run("scriptrun", "add", "s.py", "demo>=2", "other<2").err
    assert told == "demo<3 → >=2\n+ other<2\nscriptrun: note: in the lock: demo 1.0 → 2.0, + other 1.0\n"


@pytest.mark.slow
def test_new_script_can_have_a_lock(own: User) -> None:
    """init --lock makes both, or where pip fails neither."""
    assert own.run("scriptrun", "init", "-q", "--lock", "--with", "demo<0.1", "s.py").status == 125
    assert listed(own) == []
    assert own.run("scriptrun", "init", "-q", "--lock", "--with", "demo", "s.py") == (0, "", "")
    assert listed(own) == ["pylock.s.toml", "s.py"]
    assert own.run("scriptrun", "--locked", "s.py").status == 0
