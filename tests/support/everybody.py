"""scriptrun where every user of the machine can run it, and acting as one who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.user import User

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534


def require_root() -> None:
    """Skip the test where it is not run as root, in CI fail."""
    if os.geteuid() != 0:
        lack("acting as another user takes root: run the tests as root")


def lack(message: str) -> None:
    """Skip the test as the machine lacks something, in CI fail."""
    pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


def require_programs(package: str, *names: str) -> None:
    """Skip the test where a program of the machine is missing, which `package` of Debian has; in CI fail."""
    for name in names:
        if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            lack(f"{name} is missing: apt-get install {package}")


@contextmanager
def open_directory() -> Iterator[Path]:
    """Yield a new directory that everybody can read, which is removed in the end."""
    root = Path(tempfile.mkdtemp(prefix="scriptrun-machine-"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root)


def fast() -> str | None:
    """Return a directory in memory that what waits for disks a lot fits into, if there is one."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 10**9 else None


@contextmanager
def installation(pythons: list[Path]) -> Iterator[Path]:
    """Install scriptrun into a directory that everybody can read; yield the directory of its programs."""
    python = _public_python(pythons)
    with open_directory() as root:
        subprocess.run([python, "-m", "venv", "--without-pip", root], check=True, umask=0o022)
        (wheel,) = (ROOT / ".work/dist").glob("scriptrun-*.whl")
        pip = Path(sysconfig.get_path("purelib"), "pip", "__pip-runner__.py")
        command: list[str | Path] = [
            root / "bin/python",
            "-I",
            pip,
            "install",
            "-qq",
            "--no-index",
            "--disable-pip-version-check",
        ]
        subprocess.run(
            [*command, "--find-links", ROOT / ".work/wheels", wheel],
            env={"PIP_CONFIG_FILE": os.devnull, "PATH": "/usr/bin:/bin"},
            check=True,
            umask=0o022,
        )
        yield root / "bin"


def _public_python(pythons: list[Path]) -> Path:
    candidates = [*reversed(pythons), *(Path(path) for path in ("/usr/bin/python3", "/usr/local/bin/python3"))]
    for python in candidates:
        real = Path(os.path.realpath(python))
        if real.exists() and all(path.stat().st_mode & 0o001 for path in (real, *real.parents)):
            code = "import sys, venv; sys.exit(sys.version_info < (3, 10))"
            if subprocess.run([real, "-I", "-c", code], check=False, capture_output=True).returncode == 0:
                return real
    lack("no CPython from 3.10 on that every user can run: install one outside of root's home")
    raise AssertionError


class Everybody:
    """Users of one machine: root and another one, with the same command, scripts and system cache.

    `root` is a directory that everybody can read; in it are `scripts/`, the system's cache `cache/` and homes.
    """

    def __init__(self, root: Path, programs: Path, index: str) -> None:
        self.root = root
        self.scripts = root / "scripts"
        self.scripts.mkdir(mode=0o755)
        self.system = root / "cache"
        variables = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "SCRIPTRUN_SYSTEM_CACHE": str(self.system),
        }
        self.administrator = User(self._home("admin", 0), self.scripts, variables)
        self.administrator.variables["HOME"] = str(self.administrator.home)
        self.other = User(self._home("other", NOBODY), self.scripts, dict(variables), uid=NOBODY)
        self.other.variables["HOME"] = str(self.other.home)

    def _home(self, name: str, uid: int) -> Path:
        path = self.root / name
        path.mkdir(mode=0o700)
        os.chown(path, uid, uid)
        return path

    def script(self, name: str, *requirements: str, body: str) -> Path:
        """Write a script that everybody can run."""
        path = self.administrator.script(name, *requirements, body=body)
        path.chmod(0o755)
        return path

    def homeless(self) -> User:
        """Return another user who can write nowhere."""
        variables = {**self.other.variables, "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}
        return replace(self.other, variables=variables)
