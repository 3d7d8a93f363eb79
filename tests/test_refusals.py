"""What the operating system refuses: a clear failure, nothing published, the space given back, and then it works."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from support import index as indexes
from support.index import Index
from support.mounts import in_namespace
from support.user import Finished, User

REMAINS = '-type f ! -path "*/locks/*" ! -path "*/interpreters/*" ! -name CACHEDIR.TAG ! -name pruned'
"""What `find` is told to list the files that no failure may leave."""

DELETED = ("-exec", "rm", "-rf", "{}", "+")


@pytest.fixture
def served(user: User, index: Index) -> Index:
    """An index of the test's own, which the user's pip asks, and keeps nothing of."""
    user.variables.update(PIP_INDEX_URL=index.url, PIP_NO_CACHE_DIR="1", PIP_RETRIES="0")
    return index


def remains(user: User) -> str:
    """Return the files in a user's cache that no failure may leave."""
    return user.run("sh", "-c", f'[ ! -d "{user.cache}" ] || find "{user.cache}" {REMAINS}').out


def forget(user: User) -> None:
    """Empty a user's cache but for what is known of interpreters."""
    user.run("find", user.cache / "v1", "-mindepth", "1", "-maxdepth", "1", "!", "-name", "interpreters", *DELETED)


def assert_failed(user: User, finished: Finished, reason: str) -> None:
    """Check that a run failed for this reason, clearly, and left nothing."""
    assert (finished.status, finished.out) == (125, ""), finished
    assert finished.err.startswith("scriptrun: error: "), finished.err
    assert finished.err.count("scriptrun: error: ") == finished.err.count("hint: ") == 1, finished.err
    assert re.search(reason, finished.err.splitlines()[0]), finished.err
    assert remains(user) == ""


SIZES = ("64k", "3m", "9m", "9m,nr_inodes=45", "40m,nr_inodes=80")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_full_disk(user: User, served: Index, size: str) -> None:
    """On a full disk the run fails with 125 and a reason, and nothing half-built stays; with more space it runs."""
    files = {"demo.py": "V = '1.0'\n", "data": "x" * 6_000_000, **{f"demo_data/{n}": "x" for n in range(50)}}
    served.add(indexes.wheel("demo", "1.0", files=files))
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    cache = user.directory / "cache"
    cache.mkdir(mode=0o700)
    user.variables["SCRIPTRUN_CACHE_DIR"] = str(cache)
    commands = (
        f'mount -t tmpfs -o mode=700,size={size} none "{cache}"; ./s.py && exit 1; echo "$?"; '
        f'find "{cache}" {REMAINS} -o -path "*/envs/*"; '
        f'mount -o remount,size=100m,nr_inodes=10000 "{cache}"; ./s.py'
    )
    finished = in_namespace(user, commands)
    assert (finished.status, finished.out) == (0, "125\n1.0\n"), finished
    assert finished.err.count("scriptrun: error: ") == 1
    assert "the disk is full" in finished.err.splitlines()[0]
    assert finished.err.splitlines()[-1].startswith("hint: free some space")


def injected(user: User, call: str, error: str, when: str) -> tuple[Finished, bool]:
    """Run the script while system calls fail, in each process those that `when` counts; return whether any did."""
    trace = user.directory / "trace"
    strace = ("strace", "-f", "--seccomp-bpf", "-o", trace, "-e", f"trace={call}")
    scriptrun = (sys.executable, "-I", "-m", "scriptrun")  # not the launcher: under a shell that cannot fork it ends
    finished = user.run(*strace, "-e", f"inject={call}:error={error}:when={when}", *scriptrun, "s.py")
    return finished, "INJECTED" in trace.read_text()


def refused(user: User, call: str, error: str) -> Iterator[Finished]:
    """Yield how the script runs when the first call fails, when the second fails, and so on; then it runs as ever."""
    for when in range(1, 40):
        finished, hit = injected(user, call, error, str(when))
        if not hit:
            return
        yield finished
        if finished.status:
            assert user.run("./s.py") == (0, "ran\n", ""), (call, when)
        forget(user)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "error", "reason", "least"),
    [
        ("write", "EDQUOT", "the disk quota is used up", 2),
        ("mkdir", "EDQUOT", "the disk quota is used up", 3),
        ("rename", "EDQUOT", "the disk quota is used up", 2),
        ("fsync", "EIO", "Input/output error", 1),
        ("syncfs", "ENOSPC", "the disk is full", 1),
        ("symlink", "EPERM", "the file system has no symbolic links", 2),
        ("pipe2", "EMFILE", "too many open files", 0),
        ("vfork", "EAGAIN", "too many processes", 0),
    ],
)
def test_refused_system_call(user: User, call: str, error: str, reason: str, least: int) -> None:
    """Whichever one call of a first run fails: it makes no difference, or is a clear failure that leaves nothing."""
    user.script("s.py", body="print('ran')\n")
    assert user.run("./s.py").status == 0  # what interpreters say is known, and only then
    failures = 0
    forget(user)
    for finished in refused(user, call, error):
        if finished != (0, "ran\n", ""):
            assert_failed(user, finished, reason)
            failures += 1
    assert failures >= least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (("write", "EDQUOT", "5"), "the disk quota is used up"),
        (("write", "EDQUOT", "10"), "the disk quota is used up"),
        (("mkdir", "EDQUOT", "2"), "the disk quota is used up"),
        (("clone,clone3,vfork", "EAGAIN", "1+"), "too many processes"),
    ],
)
def test_refused_system_call_of_pip(user: User, served: Index, fault: tuple[str, str, str], reason: str) -> None:
    """What pip is refused is said in scriptrun's words, leaves nothing, and does not come again."""
    served.add(indexes.wheel("demo", "1.0"))
    user.script("plain.py")
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./plain.py").status == 0  # so that what interpreters say is known
    forget(user)
    finished, hit = injected(user, *fault)
    assert hit
    assert_failed(user, finished, reason)
    assert user.run("./s.py") == (0, "1.0\n", "")


def test_isolated_environment_that_nobody_can_remove(user: User) -> None:
    """Where no process can be started that would remove the environment later, the run fails and leaves none."""
    user.script("s.py", body="print('ran')\n")
    assert user.run("./s.py").status == 0
    forget(user)
    user.variables["SCRIPTRUN_ISOLATED"] = "1"
    finished, hit = injected(user, "clone,clone3,fork,vfork", "EAGAIN", "1+")
    assert hit
    assert_failed(user, finished, "the operating system refused something: too many processes")
    assert list(user.cache.glob("v1/isolated/*")) == []


@pytest.mark.slow
def test_file_system_without_hard_links(user: User, served: Index) -> None:
    """Nothing needs a hard link."""
    served.add(indexes.wheel("demo", "1.0"))
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert injected(user, "link,linkat", "EPERM", "1+")[0] == (0, "1.0\n", "")


@pytest.mark.slow
def test_limit_on_open_files(user: User, served: Index) -> None:
    """With ever fewer descriptors a first run works, fails clearly and leaves nothing, or no Python can start."""
    served.add(indexes.wheel("demo", "1.0"))
    user.script("plain.py")
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    reasons = set()
    for limit in (10, 8, 7, 6, 5):
        command = f'ulimit -n {limit}; exec "{sys.executable}" -I -m scriptrun s.py'
        finished = user.run("sh", "-c", command)
        if finished.err.startswith("scriptrun: error: "):
            assert_failed(user, finished, "too many open files|Too many open files")
            assert "ulimit -n" in finished.err
            reasons.add(finished.err.splitlines()[0])
        assert finished == (0, "1.0\n", "") or finished.status
        assert "scriptrun/" not in finished.err or finished.err.startswith("scriptrun: error: ")
        forget(user)
    assert reasons
    assert user.run("./s.py") == (0, "1.0\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "requirements"), [(1, ()), (8, ("demo",))])
def test_limit_on_the_size_of_files(user: User, served: Index, limit: int, requirements: tuple[str, ...]) -> None:
    """A file that may not become as large as it must is a failure that names the limit, of pip as well."""
    served.add(indexes.wheel("demo", "1.0", files={"demo.py": "#" * 100_000}))
    user.script("s.py", *requirements, body="print('ran')\n")
    finished = user.run("sh", "-c", f"ulimit -f {limit}; exec ./s.py")
    assert_failed(user, finished, "a file would be larger than is allowed")
    assert finished.err.endswith("hint: raise the limit (`ulimit -f`)\n")
    assert user.run("./s.py") == (0, "ran\n", "")


@pytest.mark.slow
def test_noexec(user: User, served: Index) -> None:
    """Where nothing may be executed, pure distributions work; native libraries and commands are refused clearly."""
    served.add(
        indexes.wheel("demo", "1.0"),
        indexes.wheel("native", "1.0", files={"native/__init__.py": "V = 1\n", "native/it.cpython-311.so": ""}),
        indexes.wheel("tool", "1.0", files={"tool.py": "def main(): print('ran')\n"}, scripts={"tool": "tool:main"}),
    )
    cache = user.directory / "mounted" / "cache"
    cache.mkdir(parents=True, mode=0o700)
    cache.parent.chmod(0o700)
    user.variables["SCRIPTRUN_CACHE_DIR"] = str(cache)
    user.script("p.py", "demo", body="import demo; print(demo.V)\n")
    user.script("n.py", "native", body="import native; print(native.V)\n")
    user.script("t.py", "tool", body="import os; os.execvp('tool', ['tool'])\n")
    mount = f'mount -t tmpfs -o mode=700,noexec none "{cache.parent}"; '
    finished = in_namespace(
        user,
        f"{mount} ./p.py; ./p.py; ./n.py && exit 1; ./t.py && exit 1; "
        f'ls "{cache}/v1/envs" | wc -l; mount -o remount,exec "{cache.parent}"; ./n.py; ./t.py',
    )
    where = f"could not be run: the file system at `{cache.parent}` is mounted `noexec`"
    hint = "hint: set SCRIPTRUN_CACHE_DIR to a directory on another file system, or mount this one without `noexec`"
    assert finished.err.splitlines() == [
        f"scriptrun: error: `it.cpython-311.so` {where}",
        hint,
        f"scriptrun: error: `tool` {where}",
        hint,
    ]
    assert (finished.status, finished.out) == (0, "1.0\n1.0\n1\n1\nran\n")


def test_answer_that_could_not_be_had_is_not_remembered(user: User) -> None:
    """A Python that lacked descriptors when it was asked what it is, is asked again by the next run."""
    user.script("s.py", body="print('ran')\n")
    finished = user.run("sh", "-c", f'ulimit -n 6; exec "{sys.executable}" -I -m scriptrun s.py')
    if finished.err.startswith("scriptrun: error: "):  # else no Python could start at all
        assert_failed(user, finished, "cannot say what it is: too many open files")
    assert user.run("./s.py") == (0, "ran\n", "")
