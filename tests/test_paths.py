"""Where the cache is, who may use it, and what happens where it cannot be written."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import subprocess
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mounts import in_namespace
from support.user import Finished, User

from scriptrun import location, paths
from scriptrun.errors import CacheError

NOTE = "scriptrun: note: the cache is in"


def test_cache_directory_is_that_of_platformdirs(tmp_path: Path) -> None:
    """With a usable home, the same directory as platformdirs names, XDG_CACHE_HOME taken into account.

    But for blanks at the ends of the variable: platformdirs takes them off, the launcher cannot.
    """
    text = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=8)

    @given(xdg=st.none() | text.filter(lambda text: text == text.strip()))
    def check(xdg: str | None) -> None:
        environ = {"HOME": str(tmp_path)}
        if xdg is not None:
            environ["XDG_CACHE_HOME"] = f"/{xdg}"
        with pytest.MonkeyPatch.context() as patched:
            patched.delenv("XDG_CACHE_HOME", raising=False)
            for name, value in environ.items():
                patched.setenv(name, value)
            expected = platformdirs.user_cache_dir("scriptrun", appauthor=False)
        assert location.cache_directory(environ) == expected

    check()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/tmp", "XDG_CACHE_HOME": "relative"}, "/tmp/.cache/scriptrun"),
        ({"HOME": "/tmp", "XDG_CACHE_HOME": ""}, "/tmp/.cache/scriptrun"),
        ({"HOME": "/"}, "/.cache/scriptrun"),
        ({"HOME": "/tmp", "XDG_CACHE_HOME": "/x", "SCRIPTRUN_CACHE_DIR": "/own"}, "/own"),
        ({"HOME": "/tmp", "SCRIPTRUN_CACHE_DIR": ""}, "/tmp/.cache/scriptrun"),
        ({}, ""),
        ({"HOME": ""}, ""),
        ({"HOME": "relative"}, ""),
        ({"HOME": "/nonexistent-home"}, ""),
    ],
)
def test_cache_directory(environ: dict[str, str], expected: str) -> None:
    """A relative XDG_CACHE_HOME is ignored, as its specification says; a home that is not there is none."""
    assert location.cache_directory(environ) == expected


def test_relative_cache_directory_starts_at_the_current_one(user: User) -> None:
    """SCRIPTRUN_CACHE_DIR may be relative and have spaces; the second run is a hit of the launcher."""
    user.script("s.py", body="import sys; print(sys.prefix)\n")
    first = user.run("./s.py", SCRIPTRUN_CACHE_DIR="a cache")
    assert first.out.startswith(f"{user.directory}/a cache/v1/envs/")
    assert user.run("./s.py", SCRIPTRUN_CACHE_DIR="a cache") == first == (0, first.out, "")
    assert len(list(user.directory.glob("a cache/v1/launch/**/@record"))) == 1
    assert not user.cache.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a home\nhere", "l'été, #1; *", "d" * 120, "d" * 250])
def test_cache_directory_of_any_name(user: User, name: str) -> None:
    """An environment works below a path with blanks, quotes, or longer than a shebang; its console scripts as well.

    But for `"`, `$`, backquotes and backslashes: pip writes these into a line for a shell as they are.
    """
    home = user.directory / name
    home.mkdir()
    user.script("s.py", "tool", body="import subprocess; subprocess.run(['tool'], check=True)\n")
    for _ in range(2):
        finished = user.run("./s.py", HOME=str(home))
        assert (finished.status, finished.err) == (0, "")
        assert finished.out.startswith(f"tool in {home}/.cache/scriptrun/v1/envs/")


@pytest.mark.parametrize("home", [None, "/nonexistent-home", "relative"])
def test_without_a_home_the_cache_is_private_and_told(user: User, home: str | None) -> None:
    """The cache is in a private directory below TMPDIR, and nothing is written anywhere else.

    A note says so when the environment is made; a job would send a mail each time if it were said at every run.
    """
    user.script("s.py", body="print('ran')\n")
    temporary = user.directory / "tmp"
    temporary.mkdir()
    finished = user.run("./s.py", HOME=home, TMPDIR=str(temporary))
    assert finished[:2] == (0, "ran\n")
    assert finished.err.startswith(f"{NOTE} `{temporary}/scriptrun-{os.geteuid()}`, as there is no home directory")
    assert user.run("./s.py", HOME=home, TMPDIR=str(temporary)) == (0, "ran\n", "")
    (cache,) = temporary.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert len(list(cache.glob("v1/envs/*/*/scriptrun.json"))) == 1
    assert not Path("/nonexistent-home").exists()
    assert not list(cache.glob("v1/launch"))
    assert sorted(path.name for path in user.directory.iterdir()) == ["s.py", "tmp"]
    assert user.run("scriptrun", "-q", "--refresh", "s.py", HOME=home, TMPDIR=str(temporary)) == (0, "ran\n", "")


def test_read_only_home(user: User) -> None:
    """Where the home cannot be written to, nor anything but a temporary directory, the cache is there, and a note."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    temporary = user.directory / "tmp"
    temporary.mkdir()
    user.variables["TMPDIR"] = str(temporary)
    read_only = f'mount -t tmpfs none "{temporary}"; mount -o remount,bind,ro /; '
    if not os.path.ismount("/tmp"):
        read_only += "! touch /tmp/written 2>/dev/null; "
    finished = in_namespace(user, f'{read_only} ! touch "$HOME/written" 2>/dev/null; ./s.py; ./s.py')
    assert (finished.status, finished.out) == (0, "2.0\n2.0\n"), finished
    note = f"{NOTE} `{temporary}/scriptrun-{os.geteuid()}`, as `{user.cache}` cannot be made: Read-only file system"
    assert [line.partition(";")[0] for line in finished.err.splitlines()] == [note]


def test_cache_that_may_not_be_written(user: User) -> None:
    """Where modes forbid to write to a cache, what is ready runs, and what is not is a 125 with a reason."""
    user.script("ready.py", body="print('ran')\n")
    user.script("other.py", "demo")
    assert user.run("./ready.py") == (0, "ran\n", "")
    modes = {path: path.stat().st_mode for path in (user.cache, *user.cache.rglob("*")) if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        bound = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
        runs = [user.run(*bound, command) for command in ("./ready.py", "./ready.py", "./other.py")]
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert runs[:2] == [(0, "ran\n", "")] * 2
    assert (runs[2].status, runs[2].out) == (125, "")
    assert "cannot be written to: Permission denied (`" in runs[2].err
    assert runs[2].err.endswith("\nhint: set SCRIPTRUN_CACHE_DIR to another place\n")


def test_fallback_is_not_a_link(tmp_path: Path) -> None:
    """A link where the fallback would be, which anybody can put there, is refused."""
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / f"scriptrun-{os.geteuid()}").symlink_to(tmp_path / "mine")
    with pytest.raises(CacheError, match="is a symbolic link"):
        location.open_cache({"TMPDIR": str(tmp_path)})


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o770, True), (0o1777, False), (0o755, False)])
def test_fallback_is_where_nobody_else_can_move_it(tmp_path: Path, mode: int, *, refused: bool) -> None:
    """Whoever can rename it could put another one there while a script runs; in a sticky directory nobody can."""
    tmp_path.chmod(mode)
    with pytest.raises(CacheError, match="can be moved away") if refused else contextlib.nullcontext():
        location.open_cache({"TMPDIR": str(tmp_path)})


@pytest.mark.slow
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o1777])
def test_cache_that_others_can_write_to_is_refused(user: User, mode: int) -> None:
    """Whoever can write to a cache could put a program into it; the hint says what to do."""
    user.script("s.py", body="print('ran')\n")
    user.cache.mkdir(parents=True)
    user.cache.chmod(mode)
    finished = user.run("./s.py")
    assert finished == Finished(
        125,
        "",
        f"scriptrun: error: the cache directory `{user.cache}` can be written to by other users\n"
        f"hint: look at what is in it, then run: chmod 700 {shlex.quote(str(user.cache))}\n",
    )
    user.cache.chmod(0o700)
    assert user.run("./s.py") == (0, "ran\n", "")


def test_cache_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that belongs to somebody else is not used, also by root."""
    owner = tmp_path.stat().st_uid
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(CacheError) as caught:
        location.open_cache({"SCRIPTRUN_CACHE_DIR": str(cache)})
    assert caught.value.message == f"the cache directory `{cache}` belongs to another user (uid {owner})"
    assert caught.value.hint.startswith("set SCRIPTRUN_CACHE_DIR")


def test_read_only_cache(user: User) -> None:
    """What is ready in a read-only cache runs, from the launcher and otherwise; what is not is a 125 with a reason."""
    user.script("ready.py", body="print('ran')\n")
    user.script("other.py", "demo", body="print('ran')\n")
    assert user.run("./ready.py") == (0, "ran\n", "")
    cache = user.cache
    mount = f'mount --bind "{cache}" "{cache}"; mount -o remount,ro,bind "{cache}"; '
    assert in_namespace(user, mount + "./ready.py; cp ready.py copy.py; ./copy.py") == (0, "ran\nran\n", "")
    finished = in_namespace(user, mount + "exec ./other.py")
    assert (finished.status, finished.out) == (125, "")
    assert "cannot be written to: Read-only file system (`" in finished.err
    assert finished.err.endswith("\nhint: set SCRIPTRUN_CACHE_DIR to another place\n")


def test_dead_writers_leave_nothing(tmp_path: Path) -> None:
    """Whoever writes a file removes what others left beside it who died while they wrote; who lives is let alone."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = [f"file.{dead.pid}.0123abcd", f"file.{os.getpid()}.0123abcd"]
    kept = [f"file.{os.getppid()}.0123abcd", f"other.{dead.pid}.0123abcd", "file.txt"]
    for name in left + kept:
        (tmp_path / name).touch()
    paths.replace(str(tmp_path / "file"), b"content")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", *kept])
    assert (tmp_path / "file").read_bytes() == b"content"


def test_cache_is_tagged_as_one(user: User) -> None:
    """Backup programs find the tag in a cache, unless the directory held other things before, which are not a cache."""
    user.script("s.py")
    assert user.run("./s.py") == (0, "", "")
    assert (user.cache / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    (user.directory / "mine").mkdir(mode=0o700)
    (user.directory / "mine" / "letter").touch()
    assert user.run("./s.py", SCRIPTRUN_CACHE_DIR="mine") == (0, "", "")
    assert sorted(path.name for path in (user.directory / "mine").iterdir()) == ["letter", "v1"]


def test_layout_that_others_can_write_to_is_refused(user: User) -> None:
    """So it is with the directory in the cache that holds everything."""
    user.script("s.py", body="print('ran')\n")
    assert user.run("./s.py").status == 0
    (user.cache / "v1").chmod(0o777)
    finished = user.run("scriptrun", "-v", "s.py")
    assert (finished.status, finished.out) == (125, "")
    assert f"the cache directory `{user.cache}/v1` can be written to by other users" in finished.err
