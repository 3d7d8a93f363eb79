"""The system's cache: filled by the administrator, used by everybody, written to by nobody's runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import everybody, mounts, private
from support.everybody import Everybody
from support.index import Index

from scriptrun import launch, paths

pytestmark = pytest.mark.slow

BODY = "import sys, demo; print(sys.prefix, demo.V)\n"

SEALED = """\
for place in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
    mount -o remount,bind,ro "$place" 2>/dev/null || true  # what others hide cannot be reached anyway
done
for place in / /tmp /var/tmp /run /dev/shm . "$SCRIPTRUN_SYSTEM_CACHE"; do
    if touch "$place/written" 2>/dev/null; then exit 99; fi
done
exec setpriv --reuid=54321 --regid=54321 --clear-groups ./s.py
"""
"""What makes all file systems read-only, as a container does with its root, and becomes a user who starts a script."""

TELLING = """\
import os, pwd, socket, sys
import demo
try:
    name = pwd.getpwuid(os.getuid()).pw_name
except KeyError:
    name = "nobody knows"
print(os.getpid(), os.getuid(), name, [name for _, name in socket.if_nameindex()], demo.V, sys.prefix)
sys.exit(3)
"""


@pytest.fixture
def machine(programs: Path, shared_index: Index) -> Iterator[Everybody]:
    """A machine with an administrator, another user and a script; its system cache is not there yet."""
    with everybody.open_directory() as root:
        yield Everybody(root, programs, shared_index.url)


@pytest.fixture
def filled(machine: Everybody) -> Everybody:
    """The same with an environment for `s.py` in the system's cache."""
    machine.script("s.py", "demo", body=BODY)
    finished = machine.administrator.run("scriptrun", "sync", "--system", "s.py")
    (environment,) = machine.system.glob("v1/envs/*/*")
    assert finished == (0, f"{environment}\n", "")
    return machine


def environment(machine: Everybody) -> Path:
    """Return the environment in the system's cache."""
    (found,) = machine.system.glob("v1/envs/*/*")
    return found


def test_filled_cache_is_for_everybody_to_read(filled: Everybody) -> None:
    """What `sync --system` makes can be read by everybody and written by its owner alone; bytecode is compiled."""
    assert filled.system.stat().st_mode & 0o777 == 0o755
    for path in environment(filled).rglob("*"):
        if not path.is_symlink():
            wanted = 0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444
            assert path.stat().st_mode & 0o577 & wanted == wanted, path
            assert path.stat().st_mode & 0o022 == 0, path
    assert len(list(environment(filled).rglob("demo.*.pyc"))) == 1
    assert not list(filled.administrator.home.rglob("scriptrun.json"))


def test_other_users_start_in_it(filled: Everybody) -> None:
    """A user's first run finds the environment, and leaves a launch record: the next one is the launcher's."""
    expected = f"{environment(filled)} 2.0\n"
    before = private.digest(filled.system)
    for _ in range(2):
        assert filled.other.run("./s.py") == (0, expected, "")
    (record,) = filled.other.records()
    assert launch.recorded(str(record)) == str(environment(filled))
    (filled.root / "trace").touch(0o666)
    (filled.root / "trace").chmod(0o666)
    trace = ("strace", "-f", "-e", "trace=execve", "-qq", "-o", str(filled.root / "trace"))
    assert filled.other.run(*trace, "./s.py").out == expected
    assert (filled.root / "trace").read_text().count(" = 0\n") == 3
    assert filled.other.environments() == []
    assert private.digest(filled.system) == before


def test_user_who_can_write_nowhere(filled: Everybody, programs: Path) -> None:
    """Without a home, and with no place for a cache, what is in the system's cache runs, silently; the rest fails."""
    homeless = filled.homeless()
    assert homeless.run("./s.py") == (0, f"{environment(filled)} 2.0\n", "")
    assert homeless.run("scriptrun", "-v", "-w", "demo", "-c", "import demo; print(demo.V)") == (0, "2.0\n", "")
    filled.script("new.py", "other", body="print('ran')\n")
    finished = homeless.run("./new.py")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err.startswith("scriptrun: error: no place for the cache: there is no home directory")
    assert (
        "hint: have it prepared for everybody, by `scriptrun sync --system`; or set SCRIPTRUN_CACHE_DIR" in finished.err
    )
    assert programs.exists()


def test_user_whom_the_machine_does_not_know(machine: Everybody) -> None:
    """Without HOME, and unknown to the machine, as in a container: pip works, and believes no `~` in the directory."""
    machine.script("s.py", "demo", body="import demo; print(demo.V)\n")
    (machine.scripts / "~/.pip").mkdir(parents=True)
    (machine.scripts / "~/.pip/pip.conf").write_text("[global]\nno-index = true\nretries = many\n")
    temporary = machine.root / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    for home in (None, ""):
        unknown: dict[str, Any] = {"HOME": home, "TMPDIR": str(temporary), "PIP_CONFIG_FILE": None}
        finished = replace(machine.other, uid=54321).run("scriptrun", "--refresh", "s.py", **unknown)
        assert finished[:2] == (0, "2.0\n"), finished


def test_runs_never_write_to_it(filled: Everybody) -> None:
    """Runs of the administrator, cold ones and --refresh included, go to the administrator's own cache."""
    before = private.digest(filled.system)
    filled.script("new.py", "other", body="print('ran')\n")
    for words in (["./new.py"], ["scriptrun", "--refresh", "s.py"], ["scriptrun", "-w", "tool", "-c", ""]):
        assert filled.administrator.run(*words).status == 0
    os.utime(environment(filled) / ".stamp", (1, 1))
    after = private.digest(filled.system)
    os.utime(environment(filled) / ".stamp")
    assert len(filled.administrator.environments()) == 3
    assert before != after  # the digest sees time stamps


@pytest.mark.parametrize("what", [".", "v1", "v1/envs", ".."])
@pytest.mark.parametrize("how", ["writable", "somebody's"])
def test_cache_that_others_could_write_to_is_not_used(filled: Everybody, what: str, how: str) -> None:
    """Where somebody else could put a program into it, the cache is left alone, which a note says, from then on."""
    assert filled.other.run("./s.py").out.startswith(str(filled.system))
    path = Path(os.path.normpath(filled.system / what))
    path.chmod(0o777) if how == "writable" else os.chown(path, NOBODY_ELSE, NOBODY_ELSE)
    doubt = "can be written to by other users" if how == "writable" else f"belongs to another user (uid {NOBODY_ELSE})"
    shutil.rmtree(filled.other.cache / "v1/launch")
    finished = filled.other.run("./s.py")
    (own,) = filled.other.environments()
    assert finished[:2] == (0, f"{own} 2.0\n")
    assert finished.err == f"scriptrun: note: the system's cache `{filled.system}` is not used: `{path}` {doubt}\n"
    assert filled.other.run("./s.py") == (0, f"{own} 2.0\n", "")


NOBODY_ELSE = 65533


def test_cache_that_became_writable_is_left_at_once(filled: Everybody) -> None:
    """Also the launcher does not start in a cache that the user can write to and does not own."""
    for _ in range(2):
        assert filled.other.run("./s.py").out.startswith(str(filled.system))
    filled.system.chmod(0o777)
    finished = filled.other.run("./s.py")
    assert finished.out.startswith(str(filled.other.cache))
    assert finished.err.startswith("scriptrun: note: the system's cache")


def test_directory_with_the_sticky_bit_may_be_above(filled: Everybody) -> None:
    """As in /tmp, where others cannot rename what is not theirs."""
    filled.root.chmod(0o1777)
    assert filled.other.run("./s.py") == (0, f"{environment(filled)} 2.0\n", "")


def test_link_to_a_cache_is_followed_only_if_nobody_can_change_it(filled: Everybody) -> None:
    """A path with a link in it is as safe as the directory that holds the link."""
    directory = filled.root / "theirs"
    directory.mkdir()
    (directory / "link").symlink_to(filled.system)
    filled.other.variables["SCRIPTRUN_SYSTEM_CACHE"] = str(directory / "link")
    assert filled.other.run("scriptrun", "-w", "demo", "-c", "print(1)") == (0, "1\n", "")
    directory.chmod(0o777)
    finished = filled.other.run("scriptrun", "-w", "demo", "-c", "print(1)")
    assert finished.err == (
        f"scriptrun: note: the system's cache `{directory}/link` is not used: "
        f"`{directory}` can be written to by other users\n"
    )


def test_asked_for_and_missing_is_told(machine: Everybody) -> None:
    """A system cache that is asked for and not there is told, the usual one is not; empty means none."""
    machine.script("s.py", body="print('ran')\n")
    note = f"scriptrun: note: the system's cache `{machine.system}` is not used: there is no such directory\n"
    assert machine.other.run("./s.py") == (0, "ran\n", note)
    assert machine.other.run("scriptrun", "-v", "s.py", SCRIPTRUN_SYSTEM_CACHE="") == (0, "ran\n", "")


def test_only_its_owner_can_fill_it(filled: Everybody) -> None:
    """Another user is refused, with a remedy, and nothing is changed."""
    before = private.digest(filled.system)
    finished = filled.other.run("scriptrun", "sync", "--system", "s.py")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err == (
        f"scriptrun: error: the cache directory `{filled.system}` belongs to another user (uid 0)\n"
        "hint: set SCRIPTRUN_CACHE_DIR to a directory of your own, or HOME to your home (`sudo -H`)\n"
    )
    assert private.digest(filled.system) == before


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_filling_does_not_depend_on_the_umask(machine: Everybody, umask: int) -> None:
    """Whatever the administrator's umask, everybody can read, and nobody else can write."""
    machine.script("s.py", "demo", body=BODY)
    machine.system = machine.root / "missing/too/cache"
    for user in (machine.administrator, machine.other):
        user.variables["SCRIPTRUN_SYSTEM_CACHE"] = str(machine.system)
    command = f"umask {umask:04o}; exec scriptrun sync --system s.py"
    assert machine.administrator.run("sh", "-c", command).status == 0
    assert machine.other.run("./s.py") == (0, f"{environment(machine)} 2.0\n", "")
    assert machine.other.environments() == []
    assert not [path for path in machine.system.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]


def test_locked_script_offline(machine: Everybody) -> None:
    """With a lock, root with a closed umask prepares what others start without network: its very versions."""
    machine.script("s.py", "demo<2", body="import demo; print(demo.V)\n")
    command = "umask 077; scriptrun -q lock s.py && chmod a+r pylock.s.toml && exec scriptrun sync --system s.py"
    finished = machine.administrator.run("sh", "-ec", command)
    assert finished.status == 0, finished
    cut_off = ("unshare", "-n", "setpriv", f"--reuid={everybody.NOBODY}", f"--regid={everybody.NOBODY}")
    for user in (machine.other, machine.homeless()):
        assert replace(user, uid=None).run(*cut_off, "--clear-groups", "./s.py") == (0, "1.0\n", "")
    assert machine.other.environments() == []


@pytest.mark.parametrize("home", [None, "/", "/nonexistent"])
def test_read_only_without_network_as_whoever(machine: Everybody, home: str | None) -> None:
    """As process 1 where nothing can be written, nobody reached, and the user is unknown: status, stdout, no word."""
    machine.script("s.py", "demo", body=TELLING)
    assert machine.administrator.run("scriptrun", "sync", "--system", "s.py").status == 0
    user = replace(machine.homeless(), uid=None)
    del user.variables["TMPDIR"], user.variables["HOME"]
    user.variables |= {} if home is None else {"HOME": home}
    alone = ("--net", "--pid", "--fork", "--kill-child", "--mount-proc")
    expected = f"1 54321 nobody knows ['lo'] 2.0 {environment(machine)}\n"
    before = private.digest(machine.system)
    for _ in range(2):
        assert mounts.in_namespace(user, SEALED, *alone) == (3, expected, "")
    assert private.digest(machine.system) == before


def test_root_leaves_nothing_in_the_home_of_somebody_else(machine: Everybody) -> None:
    """With `sudo` that keeps HOME, root neither makes a cache in that home nor uses the one that is there."""
    machine.script("s.py", body="import sys; print(sys.prefix)\n")
    kept: dict[str, Any] = {
        "HOME": str(machine.other.home),
        "SCRIPTRUN_SYSTEM_CACHE": "",
        "TMPDIR": str(machine.administrator.home),
    }
    finished = machine.administrator.run("./s.py", **kept)
    assert finished.status == 0
    assert finished.out.startswith(f"{machine.administrator.home}/scriptrun-0/")
    assert "would be in the home of another user (`sudo -H` changes to one's own)" in finished.err
    assert list(machine.other.home.iterdir()) == []
    assert machine.other.run("./s.py", SCRIPTRUN_SYSTEM_CACHE="").status == 0
    finished = machine.administrator.run("./s.py", **kept)
    assert (finished.status, finished.out) == (125, "")
    assert f"the cache directory `{machine.other.cache}` belongs to another user" in finished.err
    assert not [path for path in machine.other.home.rglob("*") if path.lstat().st_uid == 0]


@pytest.mark.parametrize("link", [".cache", ".cache/scriptrun", "directory of root"])
def test_root_follows_no_link_of_somebody_else(machine: Everybody, link: str) -> None:
    """Who owns the home could lead a link, or a directory, elsewhere while root's script runs: root keeps out of it."""
    machine.script("s.py", body="import sys; print(sys.prefix)\n")
    home, target = machine.other.home, machine.root / "target"
    (target / "scriptrun").mkdir(parents=True)
    if link == "directory of root":
        (home / ".cache/scriptrun").mkdir(parents=True)
    else:
        (home / link).parent.mkdir(exist_ok=True)
        (home / link).symlink_to(target)
        os.chown(home / link, everybody.NOBODY, everybody.NOBODY, follow_symlinks=False)
    kept: dict[str, Any] = {"HOME": str(home), "SCRIPTRUN_SYSTEM_CACHE": "", "TMPDIR": str(machine.administrator.home)}
    finished = machine.administrator.run("./s.py", **kept)
    assert finished.out.startswith(f"{machine.administrator.home}/scriptrun-0/"), finished
    assert "would be in the home of another user" in finished.err
    assert not [path for path in (*target.rglob("*"), *home.rglob("*")) if path.name == "v1"]


def test_launcher_leaves_the_home_of_somebody_else_to_python(machine: Everybody) -> None:
    """A record that is there, in a directory of root's to which a link leads, is not believed by root's launcher."""
    machine.script("s.py", body="import sys; print(sys.prefix)\n")
    admin, home = machine.administrator, machine.other.home
    own: dict[str, Any] = {"SCRIPTRUN_SYSTEM_CACHE": "", "TMPDIR": str(admin.home)}
    assert admin.run("./s.py", **own).status == 0
    assert len(admin.records()) == 1
    (home / ".cache").symlink_to(admin.home / ".cache")
    finished = admin.run("./s.py", **{**own, "HOME": str(home)})
    assert finished.out.startswith(f"{admin.home}/scriptrun-0/"), finished


def test_root_makes_no_cache_in_a_temporary_directory_of_somebody_else(machine: Everybody) -> None:
    """TMPDIR may be another user's too, who could move the cache away while root's script runs."""
    machine.script("s.py", body="print('ran')\n")
    kept: dict[str, Any] = {"HOME": "/nonexistent", "SCRIPTRUN_SYSTEM_CACHE": "", "TMPDIR": str(machine.other.home)}
    finished = machine.administrator.run("./s.py", **kept)
    assert (finished.status, finished.out) == (125, "")
    assert f"`{machine.other.home}` is not only yours" in finished.err
    assert list(machine.other.home.iterdir()) == []


def test_condemned_environment_is_not_used(filled: Everybody) -> None:
    """What the administrator is removing is left alone by the launcher too: the user gets one of their own."""
    for _ in range(2):
        assert filled.other.run("./s.py").out.startswith(str(filled.system))
    Path(paths.condemned(str(environment(filled)))).touch()
    assert filled.other.run("./s.py").out.startswith(str(filled.other.cache))
