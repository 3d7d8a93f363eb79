"""How environments share files with the store on real file systems, and who can write to such files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import everybody, mounts
from support import index as indexes
from support.everybody import Everybody
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow

BIG = 30_000_000

MOUNT = """\
device=$(losetup -f)
[ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
mkdir -p "$HOME/.cache"
mount -o loop image "$HOME/.cache"
used() { sync -f "$HOME/.cache"; df --output=used -B1 "$HOME/.cache" | tail -n 1; }
"""

TWICE = """\
scriptrun s.py
used
rm -r "$HOME/.cache/scriptrun/v1/envs"
used
scriptrun s.py
used
find "$HOME/.cache/scriptrun/v1" -path '*/big/data' -printf '%n %m %s\\n'
echo changed >"$(find "$HOME/.cache/scriptrun/v1/envs" -path '*/big/data')"
find "$HOME/.cache/scriptrun/v1/store" -path '*/big/data' -printf '%s\\n'
rm -r "$HOME/.cache/scriptrun/v1/envs"
scriptrun s.py
scriptrun cache verify
"""


@pytest.mark.parametrize(
    ("make", "package"), [("mkfs.btrfs -q image", "btrfs-progs"), ("mkfs.xfs -q -m reflink=1 image", "xfsprogs")]
)
def test_reflinks_where_the_file_system_has_them(user: User, index: Index, make: str, package: str) -> None:
    """Environment and store have files of their own that share their blocks: writing to one leaves the other alone."""
    everybody.require_root()
    everybody.require_programs(package, make.partition(" ")[0])
    index.add(indexes.wheel("big", "1.0", files={"big/__init__.py": "V = 1\n", "big/data": "x" * BIG}))
    user.variables |= {"PIP_INDEX_URL": index.url, "PATH": f"{user.variables['PATH']}:/usr/sbin:/sbin"}
    user.script("s.py", "big", body="import big; print(big.V)\n")
    finished = mounts.in_namespace(user, f"truncate -s 400M image\n{make} >&2\n{MOUNT}{TWICE}")
    assert finished.status == 0, finished
    ran, first, removed, again, second, *files, kept, last = finished.out.split("\n")[:-1]
    assert (ran, again, last) == ("1", "1", "1")
    assert files == [f"1 400 {BIG}"] * 2
    assert abs(int(second) - int(removed)) < BIG / 10
    assert abs(int(first) - int(removed)) < BIG / 10
    assert kept == str(BIG)
    assert len([path for path in index.requests if path.startswith("/files/")]) == 1
    assert len([path for path in index.requests if path == "/simple/big/"]) == 1


def test_copies_where_nothing_can_be_linked(user: User, index: Index) -> None:
    """Where the system refuses every link there are copies, read-only too, with the same times."""
    index.add(indexes.wheel("demo", "2.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    refuse = ("strace", "-f", "-qq", "-e", "trace=link,linkat", "-e", "inject=link,linkat:error=EPERM", "-o", "trace")
    for run in range(2):
        assert user.run(*refuse, "scriptrun", "s.py") == (0, "2.0\n", "")
        assert len(index.requests) == 2, run
        assert "EPERM" in (user.directory / "trace").read_text()
        (environment,) = user.environments()
        (module,) = environment.glob("lib/*/site-packages/demo.py")
        (kept,) = user.cache.glob("v1/store/demo-*/content/site/demo.py")
        assert [path.stat().st_nlink for path in (module, kept)] == [1, 1]
        assert [path.stat().st_mode & 0o222 for path in (module, kept)] == [0, 0]
        assert module.stat().st_mtime_ns == kept.stat().st_mtime_ns
        assert user.run("scriptrun", "cache", "verify") == (0, "", "")
        shutil.rmtree(environment.parent)


@pytest.fixture
def machine(programs: Path, shared_index: Index) -> Iterator[Everybody]:
    """A machine with an administrator and another user."""
    with everybody.open_directory() as root:
        yield Everybody(root, programs, shared_index.url)


WRITE = """\
import demo, errno, os
for path in (demo.__file__, os.path.join(os.path.dirname(demo.__file__), "demo-2.0.dist-info/METADATA")):
    try:
        open(path, "a")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""

REPLACE = """\
import demo, os
with open(demo.__file__ + ".new", "w") as file:
    file.write("V = 'replaced'")
os.replace(demo.__file__ + ".new", demo.__file__)
os.unlink(os.path.join(os.path.dirname(demo.__file__), "demo-2.0.dist-info/METADATA"))
"""


def test_nobody_writes_to_what_others_share(machine: Everybody) -> None:
    """In place no script can change a package; one that replaces files changes its own environment alone."""
    user = machine.other
    user.variables["SCRIPTRUN_SYSTEM_CACHE"] = ""
    for name, body in (("write.py", WRITE), ("replace.py", REPLACE), ("use.py", "import demo; print(demo.V)\n")):
        machine.script(name, "demo", *(["tool"] if name == "replace.py" else []), body=body)
    assert user.run("./write.py") == (0, "EACCES\nEACCES\n", "")
    assert user.run("./replace.py") == (0, "", "")
    assert user.run("./use.py") == (0, "2.0\n", "")
    shutil.rmtree(user.cache / "v1/envs")
    assert user.run("./write.py") == (0, "EACCES\nEACCES\n", "")
    assert user.run("./use.py") == (0, "2.0\n", "")
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")
    (module,) = user.cache.glob("v1/envs/*/*/lib/*/site-packages/demo.py")
    (kept,) = user.cache.glob("v1/store/demo-*/content/site/demo.py")
    assert module.samefile(kept)


def test_system_cache_shares_what_all_can_read(machine: Everybody) -> None:
    """Files of the system's environments can be read by all, also those that were in its store before."""
    for name, more in (("one.py", []), ("two.py", ["tool"])):
        machine.script(name, "demo", *more, body="import demo; print(demo.V)\n")
        assert machine.administrator.run("scriptrun", "sync", "--system", name).status == 0
    shutil.rmtree(machine.system / "v1/envs")
    for name in ("one.py", "two.py"):
        assert machine.administrator.run("scriptrun", "sync", "--system", name).status == 0
        assert machine.other.run(f"./{name}") == (0, "2.0\n", "")
    assert machine.other.environments() == []
    store = machine.system / "v1/store"
    assert store.stat().st_mode & 0o077 == 0
    assert machine.other.run("ls", str(store)).status != 0
    modules = [path.stat() for path in machine.system.glob("v1/envs/*/*/lib/*/site-packages/demo.py")]
    assert len(modules) == 2
    assert len({status.st_ino for status in modules}) == 1
