"""`scriptrun sync`: prepare without running."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support import index as indexes
from support import private
from support.index import Index
from support.user import Finished, User


def test_environment_is_prepared_and_nothing_is_run(user: User) -> None:
    """The path of the environment is printed; the script's first run finds it, and asks nobody."""
    user.script("s.py", "demo", body="import sys; print(sys.prefix)\n")
    finished = user.run("scriptrun", "sync", "s.py")
    (environment,) = user.environments()
    assert finished == (0, f"{environment}\n", "")
    assert user.run("./s.py", PIP_INDEX_URL="http://127.0.0.1:9/") == finished
    assert user.run("scriptrun", "sync", "s.py", PIP_INDEX_URL="http://127.0.0.1:9/") == finished


@pytest.mark.slow
def test_several_scripts(user: User) -> None:
    """Each gets its line; one that fails is told, does not stop the others, and decides the status."""
    user.script("a.py", "demo<2")
    user.script("b.py", "no-such-distribution")
    user.script("c.py", "demo")
    status, out, err = user.run("scriptrun", "sync", "a.py", "b.py", "missing.py", "c.py")
    assert sorted(out.splitlines()) == [str(path) for path in user.environments()]
    assert len(user.environments()) == 2
    assert status == 127
    assert err.count("scriptrun: error:") == 2
    assert "b.py:4" in err
    assert "no such file: `missing.py`" in err


def test_wrong_use(user: User) -> None:
    """Without a script, and with --isolated, which keeps nothing, there is nothing to do."""
    hint = "hint: scriptrun sync SCRIPT… [--system] [--venv-link]\n"
    expected = Finished(2, "", f"scriptrun: error: `scriptrun sync` takes a script or several\n{hint}")
    assert user.run("scriptrun", "sync") == expected
    user.script("s.py")
    assert user.run("scriptrun", "sync", "--isolated", "s.py").status == 2


def test_python_that_others_cannot_run_is_told(user: User, tmp_path: Path) -> None:
    """An environment for everybody on a Python that only its owner can run is made, with a warning."""
    base = private.copy(Path(sys.executable), tmp_path / "closed")
    (tmp_path / "closed").chmod(0o700)
    user.script("s.py")
    system = user.directory / "system"
    finished = user.run("scriptrun", "sync", "--system", "-p", str(base), "s.py", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert finished.status == 0
    assert finished.err.startswith(f"scriptrun: warning: s.py: it runs on `{base}`, which others cannot: ")


def test_system_cache_that_is_not_for_everybody(user: User) -> None:
    """A directory that others cannot look into is refused: nobody but its owner would have anything of it."""
    user.script("s.py")
    system = user.directory / "system"
    system.mkdir(mode=0o700)
    finished = user.run("scriptrun", "sync", "--system", "s.py", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert (finished.status, finished.out) == (125, "")
    assert f"`{system}` is not for everybody to read" in finished.err
    assert list(system.iterdir()) == []


UNCHECKED = bytes([1, 0, 0, 0])


def test_compile(user: User, index: Index) -> None:
    """All gets byte code that counts whatever the time of its source; what is no Python does no harm."""
    files = {"pack/__init__.py": "V = 1\n", "pack/deep/a.py": "x = 2\n", "pack/template.py": "{{ no python }}\n"}
    index.add(indexes.wheel("pack", "1.0", files=files))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "pack", body="import pack, pack.deep.a; print(pack.__cached__)\n")
    finished = user.run("scriptrun", "sync", "s.py")
    (environment,) = user.environments()
    assert finished == (0, f"{environment}\n", "")
    (package,) = environment.glob("lib/*/site-packages/pack")
    compiled = {path.name.partition(".")[0]: path.read_bytes()[4:8] for path in package.rglob("*.pyc")}
    assert compiled == {"__init__": UNCHECKED, "a": UNCHECKED}
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")
    for path in package.rglob("*.py"):
        os.utime(path, (1, 1))
    before = {path: path.stat().st_mtime_ns for path in environment.rglob("*.pyc")}
    assert user.run("./s.py").status == 0
    assert user.run("scriptrun", "sync", "s.py").status == 0
    assert {path: path.stat().st_mtime_ns for path in environment.rglob("*.pyc")} == before


def test_run_compiles_what_is_imported_alone(user: User, index: Index) -> None:
    """After a run there is byte code of what the script imports, and of all else when it is prepared by `sync`."""
    index.add(indexes.wheel("pack", "1.0", files={"pack/__init__.py": "", "pack/a.py": "", "pack/b.py": ""}))
    user.script("s.py", "pack", body="import pack.a\n")
    assert user.run("./s.py", PIP_INDEX_URL=index.url) == (0, "", "")
    (environment,) = user.environments()
    assert {path.name.partition(".")[0] for path in environment.rglob("*.pyc")} == {"__init__", "a"}
    assert user.run("scriptrun", "sync", "s.py").status == 0
    assert {path.name.partition(".")[0] for path in environment.rglob("*.pyc")} == {"__init__", "a", "b"}


def test_compile_for_everybody(user: User) -> None:
    """In the system's cache everybody can read the byte code, also of an old Python."""
    user.script("s.py", "demo")
    system = user.directory / "system"
    finished = user.run("scriptrun", "sync", "--system", "s.py", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert finished.status == 0
    compiled = list(Path(finished.out.rstrip()).rglob("demo*.pyc"))
    assert [path.stat().st_mode & 0o777 for path in compiled] == [0o644]


def test_compile_that_fails_is_told(user: User) -> None:
    """Where byte code cannot be written, the script counts as failed, with the reason; the others are prepared."""
    user.script("a.py", "demo")
    user.script("b.py")
    assert user.run("scriptrun", "sync", "a.py").status == 0
    (environment,) = user.environments()
    (compiled,) = environment.rglob("demo*.pyc")
    compiled.unlink()
    compiled.mkdir()
    status, out, err = user.run("scriptrun", "sync", "a.py", "b.py")
    assert (status, len(out.splitlines())) == (125, 1)
    assert f"`{environment}` cannot be byte-compiled" in err


def test_venv_link(user: User) -> None:
    """--venv-link keeps `.venv` beside the real script, a link to its environment, through changes of the block."""
    user.script("project/s.py", "demo<2")
    (user.directory / "link.py").symlink_to("project/s.py")
    link = user.directory / "project/.venv"
    assert user.run("scriptrun", "sync", "--venv-link", "link.py") == (0, f"{user.environments()[0]}\n", "")
    assert link.readlink() == user.environments()[0]
    assert user.run(link / "bin/python", "-c", "import demo; print(demo.V)").out == "1.0\n"
    refreshed = user.run("scriptrun", "sync", "--refresh", "--venv-link", "link.py")
    assert refreshed == (0, f"{link.readlink()}\n", "")
    user.script("project/s.py", "demo")
    before = link.readlink()
    status, out, err = user.run("scriptrun", "sync", "--venv-link", "project/s.py")
    assert (status, out) == (0, f"{link.readlink()}\n")
    assert err == f"scriptrun: note: `.venv` is for project/s.py now; it led to another environment, `{before}`\n"
    assert sorted(path.name for path in link.parent.iterdir()) == [".venv", "s.py"]


def test_venv_link_of_two_scripts(user: User) -> None:
    """Of two scripts in a directory that want different environments, the last one gets the link, and that is told."""
    user.script("a.py", "demo<2")
    user.script("b.py", "demo")
    user.script("c.py", "demo")
    status, out, err = user.run("scriptrun", "sync", "--venv-link", "a.py", "b.py", "c.py")
    assert (status, str((user.directory / ".venv").readlink())) == (0, out.splitlines()[2])
    assert err.splitlines() == [
        f"scriptrun: note: `.venv` is for b.py now; it led to another environment, `{out.splitlines()[0]}`"
    ]
    assert user.run("scriptrun", "sync", "-q", "--venv-link", "a.py").err == ""


@pytest.mark.parametrize("kind", ["directory", "file", "link", "dangling"])
def test_venv_that_is_somebody_elses_is_kept(user: User, kind: str) -> None:
    """A directory, a file, or a link that scriptrun did not make, is refused and stays; a dead link of its own goes."""
    user.script("s.py")
    link = user.directory / ".venv"
    if kind == "directory":
        (link / "bin").mkdir(parents=True)
    elif kind == "file":
        link.touch()
    else:
        link.symlink_to("/tmp" if kind == "link" else "/nowhere/v1/envs/" + "0" * 33 + "/1")
    before = link.lstat()
    status, out, err = user.run("scriptrun", "sync", "--venv-link", "s.py")
    assert (status, out) == (125, "")
    assert f"`{link}` is " in err
    assert "was not made by scriptrun\nhint: move it away, or leave out --venv-link\n" in err
    assert (link.lstat().st_ino, link.lstat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    if kind in ("link", "dangling"):
        link.unlink()
        link.symlink_to("/gone/v1/envs/" + "0" * 32 + "/12ab34cd")
        assert user.run("scriptrun", "sync", "--venv-link", "s.py").status == 0


def test_venv_link_needs_a_file(user: User) -> None:
    """What comes on standard input is in no directory."""
    status, out, err = user.run("scriptrun", "sync", "--venv-link", "-", stdin=b"print(1)\n")
    assert (status, out) == (2, "")
    assert "is in no directory where a `.venv` could be" in err
