"""A container engine of a test's own: a real podman with a store, and a base image, that nobody else sees.

The base image stands in for `python:VERSION-slim`, which no test can count on to be there: a Python of this machine in
`/usr/local`, a shell and a few programs, and the libraries that these need.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support import everybody, pages
from support.index import Index
from support.user import User

BASE = "python:3.12-slim"
"""What `samples/fleet/Dockerfile` begins with."""

_PROGRAMS = ("cat", "cp", "env", "ls", "readlink", "rm", "sed", "sh", "sleep", "touch")

_FOR_WHEELS = ("libdl.so.2", "libpthread.so.0", "librt.so.1")
"""Libraries that wheels may count on, and today's programs do not need any more."""

_UNUSED = ("test", "idlelib", "tkinter", "turtledemo", "lib2to3", "config-*", "__pycache__", "*.a", "dist-packages")
"""What an image's Python can do without, and most of its size."""

_SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
pull_policy = "never"
runtime = "runc"
"""
"""Limits that every machine allows; the index is on loopback; and nothing is fetched from anywhere."""

_DOCKER = """\
#!/bin/sh
command=$1
shift
case $command in
build) set -- --secret "id=pip.conf,src={0}/pip.conf" "$@" ;;
run) set -- --volume "{0}/pip.conf:/etc/pip.conf:ro" "$@" ;;
esac
exec podman "$command" "$@"
"""
"""Takes the words that Docker takes; each container's pip, and that of each build, asks the test's index."""


@contextmanager
def start(index: Index, pythons: Sequence[Path]) -> Iterator[User]:
    """Yield a user with the command `docker`, and an index that has what scriptrun needs and itself."""
    everybody.require_root()
    everybody.require_programs("podman buildah runc", "podman", "buildah", "runc")
    for wheel in (*(pages.ROOT / ".work/wheels").iterdir(), *(pages.ROOT / ".work/dist").iterdir()):
        index.add((wheel.name, wheel.read_bytes()))
    with tempfile.TemporaryDirectory(prefix="scriptrun-engine-", dir=everybody.fast()) as directory:
        root = Path(directory)
        user = _user(root)
        (root / "pip.conf").write_text(f"[global]\nindex-url = {index.url_for(index.credentials)}\n")
        try:
            _make_base(user, root / "base", _prefix(pythons))
            yield user
        finally:
            user.run("podman", "rm", "--all", "--force", "--time=0")
            user.run("podman", "volume", "rm", "--all", "--force")


def _user(root: Path) -> User:
    """Return a user whose containers and images are all below `root`."""
    home, directory, programs = root / "home", root / "work", root / "bin"
    for path in (home, directory, programs, root / "tmp"):
        path.mkdir()
    (root / "containers.conf").write_text(_SETTINGS)
    store = f'[storage]\ndriver = "{_driver(root)}"\ngraphroot = "{root}/store"\nrunroot = "{root}/run"\n'
    (root / "storage.conf").write_text(store)
    (root / "registries.conf").touch()
    (programs / "docker").write_text(_DOCKER.format(root))
    (programs / "docker").chmod(0o755)
    variables = {
        "HOME": str(home),
        "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": str(root / "tmp"),
        "BUILDAH_ISOLATION": "chroot",  # needs the least of a machine that may be a container itself
        "CONTAINERS_CONF": str(root / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(root / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(root / "registries.conf"),
    }
    return User(home, directory, variables)


def _driver(root: Path) -> str:
    """Return how images are stored: layers above layers, or as copies, where `root` is on such layers itself."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", root], capture_output=True, check=True, text=True).stdout.strip()
    return "vfs" if kind == "overlayfs" else "overlay"


def _prefix(pythons: Sequence[Path]) -> Path:
    """Return where the newest Python is that is not strewn over `/usr`."""
    found = [path.resolve().parent.parent for path in pythons if re.search(r"3\.\d\d", str(path.resolve()))]
    prefixes = [one for one in found if one != Path("/usr")]
    if not prefixes:
        everybody.lack("no CPython from 3.10 on but that of the system, of which no image can be made")
    return prefixes[-1]


def _make_base(user: User, root: Path, prefix: Path) -> None:
    """Make the image that `samples/fleet/Dockerfile` begins with, from files of this machine."""
    _copy_python(prefix, root / "usr/local")
    _copy_programs(root)
    for name, mode in (("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var/cache", 0o755)):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    text = "FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8\n"
    (root.parent / "Dockerfile").write_text(text)
    finished = user.run("podman", "build", "--tag", BASE, "--file", root.parent / "Dockerfile", root)
    assert finished.status == 0, finished.err
    shutil.rmtree(root)


def _copy_python(prefix: Path, target: Path) -> None:
    """Copy a Python, without what was installed for it but pip."""
    (library,) = (path.relative_to(prefix) for path in prefix.glob("lib/python3*"))
    ignored = shutil.ignore_patterns("site-packages", *_UNUSED)
    shutil.copytree(prefix / library, target / library, symlinks=True, ignore=ignored)
    for pip in prefix.glob(f"{library}/site-packages/pip*"):
        shutil.copytree(pip, target / pip.relative_to(prefix), ignore=ignored)
    (target / "bin").mkdir()
    shutil.copy(prefix / "bin" / library.name, target / "bin" / library.name)
    for link in ("python", "python3"):
        (target / "bin" / link).symlink_to(library.name)


def _copy_programs(root: Path) -> None:
    """Copy programs, and the libraries that they and Python's modules are linked to, to where all users find them."""
    (root / "usr/bin").mkdir()
    for name in ("bin", "lib", "lib64"):
        (root / "usr" / name).mkdir(exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    linked = [path for path in root.rglob("*") if path.suffix == ".so" or path.parent.name == "bin"]
    for name in _PROGRAMS:
        shutil.copy(Path(f"/usr/bin/{name}").resolve(), root / "usr/bin" / name)
        linked.append(root / "usr/bin" / name)
    listed = subprocess.run(["ldd", *linked], capture_output=True, check=False, text=True).stdout
    found = {one for one in re.findall(r"(/\S+) \(0x", listed) if not one.startswith(str(root))}
    (libc,) = (Path(one).parent for one in found if one.endswith("/libc.so.6"))
    found.update(str(libc / name) for name in _FOR_WHEELS)
    for library in found:
        known = library.startswith(("/lib", "/usr/lib"))
        copy = Path(f"{root}{library}") if known else root / "usr/lib" / Path(library).name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, copy)
