"""Make environments for the tests, then run linters and pytest in them: what `./run-tests` does.

Under `.work/`: `test-PYTHON/` and `lint/`, virtual environments that are made anew when `pyproject.toml` asks for other
things; `wheels/`, what the tests install without an index; `dist/`, the wheel that is tested.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / ".work"

CORE = ["-n3", "--dist=worksteal", "-m", "not slow and not network"]
"""What is run by `--fast`, and on every Python but the first."""

PARTS = {f"bin/{name}": name for name in ("busybox", "dash", "git", "ksh", "mksh", "strace", "tmux", "zsh")}
PARTS.update({"sbin/mkfs.btrfs": "btrfs-progs", "sbin/mkfs.xfs": "xfsprogs", "bin/cc": "gcc"})
PARTS.update({"bin/crontab": "cron", "bin/systemd-analyze": "systemd", "bin/systemd-nspawn": "systemd-container"})
PARTS.update({"*bin/ip": "iproute2", "bin/python3": "python3", "lib/python3*/ensurepip": "python3-venv"})
PARTS.update({"bin/podman": "podman", "bin/buildah": "buildah", "sbin/runc": "runc"})
PARTS.update({"sbin/slurmctld": "slurmctld", "sbin/slurmd": "slurmd", "bin/sbatch": "slurm-client"})
PARTS["sbin/munged"] = "munge"
PARTS["share/python-wheels/pip-*.whl"] = "python3-pip-whl"
PARTS.update({f"bin/{name}": name for name in ("kdialog", "lxterminal", "openbox", "pcmanfm", "thunar", "xdotool")})
PARTS.update({f"bin/{name}": name for name in ("dunst", "xclip", "xterm", "zenity")})
PARTS.update({"bin/Xvfb": "xvfb", "bin/xprop": "x11-utils", "bin/import": "imagemagick", "bin/setfattr": "attr"})
PARTS.update({"bin/tesseract": "tesseract-ocr", "share/tesseract-ocr/*/tessdata/eng.traineddata": "tesseract-ocr-eng"})
PARTS.update({"bin/dbus-daemon": "dbus-daemon", "bin/dbus-launch": "dbus-x11", "bin/notify-send": "libnotify-bin"})
PARTS.update({"bin/gio": "libglib2.0-bin", "lib/*/gio/modules/libgvfsdbus.so": "gvfs", "libexec/gvfsd": "gvfs-daemons"})
PARTS.update({"bin/xdg-mime": "xdg-utils", "bin/update-mime-database": "shared-mime-info"})
PARTS.update({"bin/update-desktop-database": "desktop-file-utils", "share/icons/Adwaita": "adwaita-icon-theme"})
PARTS.update({"share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core"})
PARTS.update({"lib/*/gdk-pixbuf-2.0/*/loaders/libpixbufloader-svg.so": "librsvg2-common"})
PARTS.update({"lib/python3/dist-packages/gi": "python3-gi", "lib/python3*/tkinter/__init__.py": "python3-tk"})
PARTS.update(
    {"libexec/at-spi-bus-launcher": "at-spi2-core", "lib/*/girepository-1.0/Atspi-2.0.typelib": "gir1.2-atspi-2.0"}
)
"""What the tests use of the machine, below `/usr`, and the Debian packages that hold it."""

INSTALLED = ["pip", "hatchling", "editables"]
"""What the tests install without an index, beside scriptrun's dependencies."""

PURE = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.10"]
"""What makes pip download wheels that every Python here can install."""

NATIVE = "psutil"
"""The dependency that is no pure Python; its wheel is for every CPython 3."""


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for and return the exit status."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import pythons

    if sys.version_info < (3, 10):  # noqa: UP036 - whatever `python3` is
        newer = [path for path in pythons.find() if _minor(path) >= 10]
        if not newer:
            return _fail("a CPython from 3.10 on is needed; install one, or set PYTHON to it")
        os.execv(str(newer[-1]), [str(newer[-1]), __file__, *arguments])
    own = Path(sys.executable)
    if arguments == ["--lint"]:
        return _lint(own)
    status = _provide()
    if arguments[:1] == ["--faults"]:
        return status or _faults(own, arguments[1:])
    if status or arguments:
        return status or _pytest(own, CORE if arguments == ["--fast"] else arguments)
    others = [path for path in pythons.find() if _minor(path) >= 10 and _minor(path) != sys.version_info.minor]
    if os.environ.get("CI") and not others:
        return _fail("CI needs a second CPython from 3.10 on")
    status = _lint(own) or _pytest(own, CORE[:2])
    for python in others:
        status = status or _pytest(python, CORE)
    return status


def _minor(python: Path) -> int:
    code = "import sys; print(sys.version_info.minor)"
    return int(subprocess.run([python, "-I", "-c", code], stdout=subprocess.PIPE, check=True).stdout)


def _tell(*words: object) -> None:
    print("run-tests:", *words, flush=True)


def _fail(message: str) -> int:
    print(f"run-tests: {message}", file=sys.stderr)
    return 1


def _run(*command: str | Path, **options: Any) -> int:
    """Run a command in the repository and return its exit status."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False, **options).returncode


def _must(*command: str | Path) -> None:
    """Run a command without which nothing else makes sense."""
    if _run(*command, stdout=subprocess.DEVNULL):
        sys.exit(_fail(f"this failed: {shlex.join(str(word) for word in command)}"))


def _provide() -> int:
    """Install the Debian packages that are missing in CI; elsewhere name them, and go on without what can be spared."""
    if sys.platform != "linux":
        _tell("what the tests need beside Python is known for Linux only; most of them need much of that")
        return 0
    missing = [package for part, package in PARTS.items() if not any(Path("/usr").glob(part))]
    needed = importlib.util.find_spec("ensurepip") is None
    if needed and "python3-venv" not in missing:
        missing.append("python3-venv")
    if not missing:
        return 0
    line = f"apt-get install {' '.join(missing)}"
    if not os.environ.get("CI"):
        _tell("some tests will fail, as parts are missing; on Debian:", line)
        return int(needed)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return _fail(f"parts are missing; on Debian: {line}")
    _tell(line)
    _must("apt-get", "-qq", "update")
    _must("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *missing)
    return 0


def _environment(python: Path, name: str, *groups: str) -> Path:
    """Return the programs of a virtual environment with scriptrun's dependencies and these groups of pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text().partition("\n[tool.")[0]
    path = WORK / name
    programs = path / ("Scripts" if sys.platform == "win32" else "bin")
    mark = path / "wanted"
    wanted = f"{python.resolve()}\n{project}"
    if not mark.exists() or mark.read_text() != wanted:
        _tell("making", path.relative_to(ROOT))
        shutil.rmtree(path, ignore_errors=True)
        _must(python, "-m", "venv", path)
        _pip(programs, "install", "--upgrade", "pip>=25.1")  # the first that knows --group
        _pip(programs, "install", *(f"--group={group}" for group in groups), *_dependencies())
        if "lint" not in groups:
            pure = [one for one in _dependencies() if not one.startswith(NATIVE)]
            _pip(programs, "download", *PURE, "--dest", WORK / "wheels", *INSTALLED, *pure)
            _pip(programs, "download", "--only-binary=:all:", "--no-deps", "--dest", WORK / "wheels", NATIVE)
        mark.write_text(wanted)
    return programs


def _pip(programs: Path, *arguments: str | Path) -> None:
    """Run a pip without warnings: what they say of a machine's configuration is not about these tests."""
    _must(programs / "python", "-m", "pip", "-qq", "--disable-pip-version-check", *arguments)


def _dependencies() -> list[str]:
    """Return the `dependencies` of pyproject.toml, which are written one a line: Python 3.10 cannot read TOML."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start = lines.index("dependencies = [")
    return [line.split('"')[1] for line in lines[start + 1 : lines.index("]", start)]]


def _lint(python: Path) -> int:
    programs = _environment(python, "lint", "lint", "test")
    for command in (
        (programs / "ruff", "check", "."),
        (programs / "ruff", "format", "--check", "."),
        (programs / "mypy",),
        (programs / "shellcheck", "scriptrun/launcher.sh", "scriptrun/attend.sh", "run-tests", ".ci/run"),
    ):
        _tell(command[0].name, *command[1:])
        status = _run(*command)
        if status:
            return status
    return 0


def _pytest(python: Path, arguments: list[str]) -> int:
    programs = _install(python)
    _tell("pytest on", python)
    return _run(programs / "pytest", *arguments, env=_variables())


def _faults(python: Path, arguments: list[str]) -> int:
    programs = _install(python)
    return _run(
        programs / "python", "-m", "faults", *arguments, env={**_variables(), "PYTHONPATH": str(ROOT / "tests")}
    )


def _install(python: Path) -> Path:
    """Build the wheel and install it; return the programs of its environment."""
    digest = hashlib.sha256(os.fsencode(python.resolve())).hexdigest()[:8]
    programs = _environment(python, f"test-3.{_minor(python)}-{digest}", "test")
    wheels = WORK / "dist"
    shutil.rmtree(wheels, ignore_errors=True)
    _must(programs / "hatchling", "build", "-t", "wheel", "-d", wheels)
    _pip(programs, "install", "--no-deps", "--force-reinstall", next(wheels.glob("*.whl")))
    return programs


def _variables() -> dict[str, str]:
    """Return the environment without what would change how Python or scriptrun works."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCRIPTRUN_"))}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
