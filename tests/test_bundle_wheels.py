"""What a bundle is made of: the wheels of a lock, and where in the store each of their files goes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from support import index as indexes
from support import varied
from support.index import Index
from support.user import User

from scriptrun import arguments, request, resolve
from scriptrun.bundle import contents, locking, target, wheels
from scriptrun.bundle.contents import Wheel
from scriptrun.bundle.wheels import Collected
from scriptrun.errors import BundleError, InstallError, LockError, UsageError
from scriptrun.order import Distribution
from scriptrun.request import Request
from scriptrun.resolve import Wanted
from scriptrun.store import kept, listing

PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
EDITABLE = "build_editable, get_requires_for_build_editable = build_wheel, get_requires_for_build_wheel\n"


def silent(_line: str) -> None:
    """Nobody waits for this."""


def read(user: User, script: Path, *options: str) -> Request:
    """Return the request for a script as the user would make it."""
    environ = user.environment()
    return request.read(arguments.parse([*options, str(script)], environ), environ)


def wanted(user: User, script: Path, *options: str) -> Wanted:
    """Return what a bundle of a script is made from, with a lock."""
    found = target.resolve(read(user, script, *options), user.environment(), ())
    return locking.lock(found, user.environment(), silent)


def collect(user: User, directory: Path, found: Wanted) -> Collected:
    """Collect the wheels for what is wanted, in a directory that is made."""
    directory.mkdir()
    return wheels.collect(found, user.environment(), str(directory), silent)


def commit(user: User, directory: Path) -> None:
    """Make a directory a repository of git with one commit."""
    named = ("-c", "user.name=t", "-c", "user.email=t@t")
    for words in (["init", "-q"], ["add", "."], [*named, "commit", "-qm", "all"]):
        assert user.run("git", "-C", directory, *words).status == 0


def stored(directory: Path, collected: Collected, wheel: Wheel) -> dict[str, bytes]:
    """Return what each file of a wheel holds, by where it goes, read as a bundle is read."""
    found, extras = {}, {contents.source(one): one for one in collected.extras}
    with zipfile.ZipFile(directory / wheel.file) as archive:
        sources = [(one.stored, one.source) for one in wheel.files]
        for place, source in [*sources, *((one.stored, one.source) for one in wheel.programs)]:
            found[place] = extras[source] if source in extras else archive.read(source)
    return found


def test_wheels_of_a_lock(user: User, shared_index: Index, tmp_path: Path) -> None:
    """Each wheel is there as the index has it, and each of its files goes where pip put it; commands are extras."""
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "tool", "other")))
    names = [f"{one}-py3-none-any.whl" for one in ("demo-1.0", "other-1.0", "tool-1.0")]
    assert names == [one.file for one in collected.wheels] == sorted(os.listdir(tmp_path / "wheels"))
    for one in collected.wheels:
        content = (tmp_path / "wheels" / one.file).read_bytes()
        assert content == shared_index.files[one.file]
        assert one.sha256 == hashlib.sha256(content).hexdigest() == one.distribution.hash.removeprefix("sha256=")
    tool = collected.wheels[2]
    found = stored(tmp_path / "wheels", collected, tool)
    assert b"print('tool in'" in found["site/tool.py"]
    assert found["site/tool-1.0.dist-info/INSTALLER"] == b"pip\n"
    assert [(one.stored, one.mode & 0o100) for one in tool.programs] == [("prefix/bin/tool", 0o100)]
    assert b"from tool import main" in found["prefix/bin/tool"]
    assert not found["prefix/bin/tool"].startswith(b"#!")
    assert collected.wheels[1].described.requires == ("demo<2",)


@pytest.mark.slow
def test_all_is_where_a_run_would_put_it(user: User, index: Index, tmp_path: Path) -> None:
    """Of wheels with all that a wheel can have, and of sources, the same files go to the same places as in a run."""
    index.add(*varied.pure().values(), *varied.sources().values(), varied.native(Path(sys.executable), tmp_path))
    user.variables["PIP_INDEX_URL"] = index.url
    script = user.script("job.py", *varied.pure(), *varied.sources(), "ready")
    assert user.run("scriptrun", "lock", script).status == 0
    collected = collect(user, tmp_path / "wheels", wanted(user, script))
    assert user.run("scriptrun", "sync", script).status == 0
    (path,) = user.environments()
    made = {one["name"]: one for one in json.loads((path / "scriptrun.json").read_text())["distributions"]}
    assert sorted(made) == [one.distribution.name for one in collected.wheels]
    for one in collected.wheels:
        expected = {**Distribution("", "", "", "")._asdict(), **made[one.distribution.name]}
        if expected["hash"]:  # where it came from is nobody's business
            expected["origin"] = expected["origin"].rpartition("/")[2]
        assert {**one.distribution._asdict(), "kept": expected["kept"]} == expected
        directory = user.cache / "v1" / "store" / expected["kept"]
        found = listing.read(str(directory))
        assert sorted((f.stored, f.rest) for f in one.files) == sorted((path, rest) for path, _, _, rest in found.files)
        assert [(p.stored, p.mode) for p in one.programs] == [
            (path, mode) for path, _, _, mode in sorted(found.programs)
        ]
        assert one.metadata == found.metadata
        for place, content in stored(tmp_path / "wheels", collected, one).items():
            assert content == (directory / "content" / place).read_bytes()
        for file in one.files:
            assert file.executable == os.access(directory / "content" / file.stored, os.X_OK)


def runnable(wheel: tuple[str, bytes]) -> tuple[str, bytes]:
    """Return a wheel of which one file, `clash.py`, can be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel[1])) as before, zipfile.ZipFile(buffer, "w") as after:
        for one in before.infolist():
            content = before.read(one)
            one.external_attr = (0o100755 if one.filename == "clash.py" else 0o100644) << 16
            after.writestr(one, content)
    return wheel[0], buffer.getvalue()


def test_what_is_overwritten_is_what_pip_left(user: User, index: Index, tmp_path: Path) -> None:
    """Of two distributions with one file, the last one's counts, as with pip; the other's is kept by another name."""
    index.add(runnable(indexes.wheel("aa", "1.0", files={"clash.py": "W = 'aa'\n", "aa.py": ""})))
    index.add(runnable(indexes.wheel("zz", "1.0", files={"clash.py": "W = 'zz'\n", "same.py": "S = 1\n"})))
    index.add(indexes.wheel("mm", "1.0", files={"same.py": "S = 1\n"}))
    user.variables["PIP_INDEX_URL"] = index.url
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "aa", "mm", "zz")))
    found = {one.distribution.name: stored(tmp_path / "wheels", collected, one) for one in collected.wheels}
    assert found["aa"]["site/clash.py"] == found["zz"]["site/clash.py"]
    modes = {(one.stored, one.executable) for wheel in collected.wheels for one in wheel.files}
    assert {("site/clash.py", True), ("site/same.py", False), ("site/aa.py", False)} <= modes
    assert ("site/clash.py", False) not in modes
    assert found["mm"]["site/same.py"] == found["zz"]["site/same.py"]
    named = [one.distribution.name for one in collected.wheels if one.distribution.kept]
    assert len(named) == 1
    assert set(named) < {"aa", "zz"}


def test_nothing_is_asked_where_nothing_is_needed(user: User, index: Index, tmp_path: Path) -> None:
    """A script without dependencies has no lock, no wheels, and starts no pip."""
    user.variables["PIP_INDEX_URL"] = index.url
    found = wanted(user, user.script("job.py"))
    assert (found.lock, collect(user, tmp_path / "wheels", found)) == (None, Collected((), ()))
    assert not index.requests


@pytest.mark.slow
def test_lock_of_the_script_counts(user: User, tmp_path: Path) -> None:
    """The versions of the script's lock are collected; it is not written anew, and one that is stale is refused."""
    script = user.script("job.py", "demo<2")
    assert user.run("scriptrun", "lock", script).status == 0
    lock = user.directory / "pylock.job.toml"
    before = lock.read_bytes()
    collected = collect(user, tmp_path / "wheels", wanted(user, script))
    assert [one.distribution.version for one in collected.wheels] == ["1.0"]
    assert lock.read_bytes() == before
    user.script("job.py", "demo")
    with pytest.raises(LockError, match="the lock is stale"):
        wanted(user, script)


def test_lock_is_made_for_the_bundle_alone(user: User) -> None:
    """A script without a lock gets one that is as `scriptrun lock` would make it, and nothing is written."""
    script = user.script("job.py", "demo")
    found = wanted(user, script)
    assert [path.name for path in user.directory.iterdir()] == ["job.py"]
    assert user.run("scriptrun", "lock", script).status == 0
    assert found.lock is not None
    assert found.lock.text == (user.directory / "pylock.job.toml").read_text()
    assert found.spec.key == resolve.resolve(read(user, script), user.environment()).spec.key


@pytest.mark.slow
def test_other_python_of_this_machine(user: User, pythons: list[Path], tmp_path: Path) -> None:
    """With `--python`, the wheels are those of another Python that is here."""
    other = next(one for one in reversed(pythons) if one.resolve() != Path(sys.executable).resolve())
    found = wanted(user, user.script("job.py", "demo"), "--python", str(other))
    collected = collect(user, tmp_path / "wheels", found)
    assert Path(found.spec.interpreter.path) == other.resolve()
    assert [one.distribution.version for one in collected.wheels] == ["2.0"]


def test_what_was_changed_is_refused(user: User, index: Index, tmp_path: Path) -> None:
    """A file that does not have the hash of the lock is refused, by name."""
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    script = user.script("job.py", "demo")
    assert user.run("scriptrun", "lock", script).status == 0
    index.add(indexes.wheel("demo", "1.0", files={"demo.py": "V = 'other'\n"}))
    with pytest.raises(InstallError, match="`demo` does not have the hash that the lock says"):
        collect(user, tmp_path / "wheels", wanted(user, script))


@pytest.mark.slow
def test_what_was_built_here_is_a_wheel(user: User, tmp_path: Path) -> None:
    """A directory and a commit of a repository become wheels, each with a name in the store that its content gives."""
    project = user.directory / "local"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "backend.py").write_text(varied.BACKEND.replace("NAME", "local"))
    repository = user.directory / "repository"
    repository.mkdir()
    (repository / "pyproject.toml").write_text(PROJECT)
    (repository / "backend.py").write_text(varied.BACKEND.replace("NAME", "hosted"))
    commit(user, repository)
    script = user.script("job.py", f"local @ file://{project}", f"hosted @ git+file://{repository}")
    collected = collect(user, tmp_path / "wheels", wanted(user, script))
    assert [one.file for one in collected.wheels] == ["hosted-1.0-py3-none-any.whl", "local-1.0-py3-none-any.whl"]
    for one in collected.wheels:
        assert kept.is_name(one.distribution.kept)
        assert one.distribution.direct
        assert f"site/{one.distribution.name}.py" in stored(tmp_path / "wheels", collected, one)


def test_link_to_a_source_is_refused(user: User, tmp_path: Path) -> None:
    """What is editable is a link that would lead nowhere elsewhere: it is refused by name."""
    project = user.directory / "local"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "backend.py").write_text(varied.BACKEND.replace("NAME", "local") + EDITABLE)
    sources = '# [tool.uv.sources]\n# local = { path = "local", editable = true }\n'
    script = user.write("job.py", f'# /// script\n# dependencies = ["local"]\n{sources}# ///\n')
    with pytest.raises(BundleError, match="`local` is editable"):
        collect(user, tmp_path / "wheels", wanted(user, script))


def test_what_is_asked_for_beyond_the_block_is_refused(user: User) -> None:
    """`--with` asks for what is in no lock."""
    with pytest.raises(UsageError, match="`with` asks for what is in no lock"):
        wanted(user, user.script("job.py"), "--with", "demo")


def test_offline_is_respected(user: User, tmp_path: Path) -> None:
    """With --offline nothing is downloaded."""
    script = user.script("job.py", "demo")
    assert user.run("scriptrun", "lock", script).status == 0
    with pytest.raises(InstallError, match="--offline forbids"):
        collect(user, tmp_path / "wheels", wanted(user, script, "--offline"))
