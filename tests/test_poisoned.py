"""First runs in surroundings that mislead pip or Python: a right environment or status 125, and a base untouched."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.user import Finished, User

pytestmark = pytest.mark.slow

_LEFT_OUT = ("site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private copy of an interpreter, writable as a real one may be.

    The prefix that is compiled in, to which a misled interpreter falls back, is made to lead nowhere.
    """
    copy = tmp_path_factory.mktemp("base")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = copy / "lib" / version
    ignored = shutil.ignore_patterns(*_LEFT_OUT, "config-*")
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=ignored, symlinks=True)
    (library / "site-packages").mkdir()
    (copy / "bin").mkdir()
    python = copy / "bin" / version
    original = os.path.realpath(os.path.join(sys.base_prefix, "bin", version))
    program = Path(original).read_bytes()
    prefix = os.fsencode(sys.base_prefix)
    if len(prefix) > len("/usr/local"):  # a short one is found in other strings, too
        program = program.replace(prefix, b"/nowhere/".ljust(len(prefix), b"-"))
    python.write_bytes(program)
    python.chmod(0o755)
    found = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix, sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [str(copy), str(copy)], "the copy is not private"
    return copy


def snapshot(directory: Path) -> dict[str, tuple[int, ...]]:
    """Return mode, size, mtime and inode of every file below `directory`; bytecode is no content."""
    found: dict[str, tuple[int, ...]] = {}
    for path, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if name != "__pycache__"]
        for name in files:
            status = os.lstat(os.path.join(path, name))
            found[os.path.join(path, name)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
    return found


@dataclass
class Victim:
    """A user in poisoned surroundings: the private base, and what a case does to variables, limits and directory."""

    user: User
    base: Path
    variables: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    cwd: Path | None = None

    @property
    def home(self) -> Path:
        return self.user.home

    def configure(self, text: str, name: str = ".config/pip/pip.conf") -> None:
        """Write one of pip's configuration files, in which the index stays the test's."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def spread(self, directory: str, *names: str) -> Path:
        """Write modules that give themselves away when they are imported, and return their directory."""
        path = self.home / directory
        path.mkdir(parents=True, exist_ok=True)
        for name in names:
            (path / f"{name}.py").write_text("import os\nos.write(2, b'PWNED\\n')\n")
        return path

    def run(self) -> Finished:
        finished = subprocess.run(
            ["scriptrun", str(self.user.directory / "s.py")],
            env=self.user.environment(self.variables),
            cwd=self.cwd or self.user.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=300,
            preexec_fn=self.before,
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr)


CASES: dict[str, Callable[[Victim], None]] = {}


def case(poison: Callable[[Victim], None]) -> Callable[[Victim], None]:
    CASES[poison.__name__] = poison
    return poison


def variable(name: str, value: str) -> None:
    """Add a case in which a variable has a value; `{home}`, `{base}` and `{version}` are filled in."""

    def poison(victim: Victim) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        victim.variables[name] = value.format(home=victim.home, base=victim.base, version=version)

    CASES[name if name not in CASES else f"{name}={value}"] = poison


for name, value in {
    "PIP_TARGET": "{home}/target",
    "PIP_USER": "1",
    "PIP_PREFIX": "{home}/prefix",
    "PIP_ROOT": "{home}/root",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_NO_DEPS": "1",
    "PIP_DRY_RUN": "1",
    "PIP_REQUIRE_HASHES": "1",
    "PIP_PYTHON": "{base}/bin/{version}",
    "PIP_PLATFORM": "win32",
    "PIP_ONLY_BINARY": "demo",
    "PIP_NO_BINARY": ":all:",
    "PIP_REPORT": "{home}/report.json",
    "PIP_LOG": "{home}/pip.log",
    "PIP_QUIET": "3",
    "PIP_VERBOSE": "3",
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
    "PIP_SRC": "{home}/src",
    "PIP_REQUIREMENT": "{home}/missing.txt",
    "PIP_EDITABLE": "{home}",
    "PIP_IGNORE_INSTALLED": "1",
    "PIP_UPGRADE": "1",
    "PIP_HELP": "1",
    "PIP_NO_CLEAN": "1",
    "PIP_ROOT_USER_ACTION": "nonsense",
    "PIP_PROGRESS_BAR": "nonsense",
    "PIP_ISOLATED": "1",
    "PYTHONHOME": "{home}/nowhere",
    "PYTHONSTARTUP": "{home}/missing.py",
    "PYTHONINSPECT": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONPLATLIBDIR": "nowhere",
    "PYTHONIOENCODING": "nonsense",
    "PYTHONEXECUTABLE": "{base}/bin/{version}",
    "__PYVENV_LAUNCHER__": "{base}/bin/{version}",
    "PYTHONUSERBASE": "{home}/userbase",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "",
    "PYTHONPYCACHEPREFIX": "{home}/.cache/bytecode",
    "VIRTUAL_ENV": "{base}",
    "SETUPTOOLS_USE_DISTUTILS": "nonsense",
}.items():
    variable(name, value)


@case
def c_locale_without_utf8(victim: Victim) -> None:
    victim.variables.update(PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0")


@case
def pythonpath(victim: Victim) -> None:
    path = victim.spread("path", "pip", "distutils", "ensurepip", "venv", "findpython", "packaging")
    victim.variables["PYTHONPATH"] = str(path)


@case
def user_site(victim: Victim) -> None:
    """A sitecustomize and a pip in the user's own site-packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    victim.spread(f".local/lib/{version}/site-packages", "pip", "usercustomize", "sitecustomize", "demo")


for section in ("global", "install"):
    for setting in (
        "target = {home}/target",
        "user = true",
        "prefix = {home}/prefix",
        "no-deps = true",
        "dry-run = true",
        "require-hashes = true",
        "python = {base}/bin/python",
    ):
        if (section == "install") == (setting.startswith(("no", "dry"))):  # each once

            def configured(victim: Victim, section: str = section, setting: str = setting) -> None:
                victim.configure(f"[{section}]\n{setting.format(home=victim.home, base=victim.base)}\n")

            CASES[f"pip.conf [{section}] {setting.partition(' ')[0]}"] = configured


@case
def legacy_file_and_named_file(victim: Victim) -> None:
    victim.configure("[global]\nroot = /nowhere\n", ".pip/pip.conf")
    victim.configure(f"[install]\ntarget = {victim.home}/target\nno-deps = true\n", "named.conf")
    victim.variables["PIP_CONFIG_FILE"] = str(victim.home / "named.conf")


@case
def xdg_file(victim: Victim) -> None:
    victim.configure(f"[global]\ntarget = {victim.home}/target\n", "xdg/pip/pip.conf")
    victim.variables["XDG_CONFIG_HOME"] = str(victim.home / "xdg")


@case
def invalid_file(victim: Victim) -> None:
    victim.configure("target = x\n")


@case
def distutils_configuration(victim: Victim) -> None:
    (victim.home / ".pydistutils.cfg").write_text(f"[install]\nprefix = {victim.home}/prefix\n")
    victim.user.write("setup.cfg", f"[install]\nprefix = {victim.home}/prefix\n")


def limited(name: str, kind: int, value: int) -> None:
    def poison(victim: Victim) -> None:
        victim.before = lambda: resource.setrlimit(kind, (value, value))

    CASES[name] = poison


limited("limit on open files", resource.RLIMIT_NOFILE, 12)
limited("limit on file size", resource.RLIMIT_FSIZE, 512)
limited("limit on memory", resource.RLIMIT_AS, 60 << 20)

for mask in (0o000, 0o077, 0o777):

    def masked(victim: Victim, mask: int = mask) -> None:
        victim.before = lambda: (os.umask(mask), None)[1]

    CASES[f"umask {mask:03o}"] = masked


@case
def directory_with_modules_of_python(victim: Victim) -> None:
    victim.cwd = victim.spread("evil", "json", "ssl", "random", "pip", "venv", "encodings", "sitecustomize")


@case
def deleted_directory(victim: Victim) -> None:
    gone = victim.home / "gone"
    gone.mkdir()
    victim.cwd = gone
    victim.before = gone.rmdir


@case
def unreadable_directory(victim: Victim) -> None:
    victim.cwd = victim.home / "closed"
    victim.cwd.mkdir()
    victim.before = lambda: (victim.home / "closed").chmod(0)


@case
def pip_beside_the_script(victim: Victim) -> None:
    victim.user.write("pip.py", "import os\nos.write(2, b'PWNED\\n')\n")


@case
def closed_streams(victim: Victim) -> None:
    victim.before = lambda: os.close(0)


BODY = """\
import importlib.metadata, json, os, sys
import demo, other
found = sorted(f"{one.name} {one.version}" for one in importlib.metadata.distributions(path=[
    path for path in sys.path if path.startswith(sys.prefix)]))
print(json.dumps([demo.V, found, sys.prefix != sys.base_prefix, sys.prefix, os.path.realpath(sys.executable)]))
"""


@pytest.fixture
def victim(user: User, base: Path) -> Iterator[Victim]:
    """A user whose script asks for `other`, which requires `demo<2`, on the private base."""
    user.script("s.py", "other", body=BODY)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    del user.variables["PIP_CONFIG_FILE"]
    user.variables["SCRIPTRUN_PYTHON"] = str(base / "bin" / version)
    yield Victim(user, base)
    closed = user.home / "closed"
    if closed.exists():
        closed.chmod(0o700)


FAILING = {
    "PIP_NO_BINARY": "no distribution of `other` was found",
    "invalid_file": "is not valid",
    "limit on file size": "",
}
"""Where status 125 is the right end, with what the message says."""

BREAKS_ANY_PYTHON = ("PYTHONPLATLIBDIR", "PYTHONIOENCODING")
"""What keeps every Python from starting, the one that the script asks for too; it is the script's to have."""


@pytest.mark.parametrize("poison", CASES)
def test_poison_does_not_work(victim: Victim, poison: str) -> None:
    """The script runs in the environment it asked for, or scriptrun fails with 125; nothing else is changed."""
    CASES[poison](victim)
    untouched = snapshot(victim.base)
    at_home = set(victim.home.rglob("*"))

    finished = victim.run()
    if poison in BREAKS_ANY_PYTHON:
        assert finished.status == 1
        victim.variables.clear()
        finished = victim.run()

    assert snapshot(victim.base) == untouched
    new = {path.relative_to(victim.home).parts[0] for path in set(victim.home.rglob("*")) - at_home}
    assert new <= {".cache"}
    assert "PWNED" not in finished.err
    assert "Traceback" not in finished.err
    if poison in FAILING:
        assert_failed(victim, finished, FAILING[poison])
    else:
        assert_right(victim, finished)


def assert_failed(victim: Victim, finished: Finished, message: str) -> None:
    assert finished.status == 125
    assert finished.err.startswith("scriptrun: error: ")
    assert message in finished.err
    assert victim.user.environments() == []


def assert_right(victim: Victim, finished: Finished) -> None:
    assert finished.status == 0, finished.err
    environment = victim.user.environments()[0]
    version, found, isolated, prefix, executable = json.loads(finished.out)
    assert (version, found) == ("1.0", ["demo 1.0", "other 1.0"])
    assert (isolated, prefix) == (True, str(environment))
    assert executable.startswith(str(victim.base))
    assert exposed(victim.user.cache) == []


def exposed(cache: Path) -> list[Path]:
    """Return what others can get at, and what not even its owner can: the cache is closed, nothing in it is open.

    Byte code is what the script's own Python writes, with the script's umask.
    """
    if cache.stat().st_mode & 0o077:
        return [cache]
    written = [path for path in cache.rglob("*") if not path.is_symlink() and "__pycache__" not in path.parts]
    modes = {path: path.stat().st_mode for path in written}
    return [path for path, mode in modes.items() if mode & 0o022 or not mode & 0o400]
