"""Every way to install scriptrun: the command finds its Python, and a script runs from its shebang."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support import private
from support.user import LIMIT, Finished, User

ROOT = Path(__file__).parent.parent
WHEELS = ROOT / ".work" / "wheels"
DIST = ROOT / ".work" / "dist"

BODY = "import os, sys; print(*sys.argv, os.path.realpath(sys._base_executable))\n"
"""What the scripts do: they run on the Python that scriptrun was installed with, and this tells which it is."""

HERMETIC = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": f"{WHEELS} {DIST}",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COMPILE": "1",  # takes longer than all the rest
    "PIP_BREAK_SYSTEM_PACKAGES": "1",  # Debian's pip would refuse also where nothing of the system is touched
    "PYTHONDONTWRITEBYTECODE": "1",  # the interpreters of this machine are left as they are
}


@dataclass
class Place:
    """A private place to install to, and a user who gets the command from there and from nowhere else."""

    user: User
    programs: Path

    def _run(self, words: Sequence[str | Path], variables: Mapping[str, str | None]) -> Finished:
        return replace(self.user, variables=self.user.environment(variables)).run(*words)

    def install(self, *command: str | Path, **variables: str) -> None:
        """Run an installer without an index; afterwards the programs must hold the command."""
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        finished = self._run(command, {**HERMETIC, "PATH": path, **variables})
        assert finished.status == 0, finished

    def run(self, *words: str | Path, **variables: str | None) -> str:
        """Run a command line with the programs on PATH; it must succeed silently. Return its stdout."""
        finished = self._run(words, {"PATH": f"{self.programs}:/usr/bin:/bin", **variables})
        assert (finished.status, finished.err) == (0, "")
        return finished.out

    def assert_runs(self, python: Path, **variables: str | None) -> None:
        """A script must run from its shebang on this base interpreter, cold and warm."""
        self.user.script("s.py", body=BODY)
        expected = f"./s.py a b {os.path.realpath(python)}\n"
        assert expected == self.run("./s.py", "a b", **variables), "cold"
        assert len(self.user.records()) == 1
        assert expected == self.run("./s.py", "a b", **variables), "warm"


Make = Callable[[str | Path], Place]


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user without a pip, an index or a command `scriptrun`."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    return User(home, work, {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})


@pytest.fixture
def place(user: User) -> Make:
    """Return a function that makes a place with its programs in this directory, relative to the home."""
    return lambda programs: Place(user, user.home / programs)


@pytest.fixture(scope="module")
def pip() -> Path:
    """A pip that every Python can run, also one that has none: the tests' own."""
    return Path(sysconfig.get_path("purelib")) / "pip" / "__pip-runner__.py"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel that is tested."""
    (found,) = DIST.glob("scriptrun-*.whl")
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private copy of the Python that runs the tests; PATH never leads to it.

    It must be private: also with --prefix, pip uninstalls what it finds in the interpreter that it runs on.
    """
    return private.copy(Path(sys.executable), tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, pythons: list[Path]) -> Path:
    """A private copy of another Python that scriptrun can be installed with."""
    names = [f"python3.{minor}" for minor in range(10, 20) if minor != sys.version_info.minor]
    found = [python for python in pythons if python.name in names]
    if not found:
        pytest.skip("there is no second Python from 3.10 on; in CI that is an error of ./run-tests")
    return private.copy(found[-1], tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, base: Path, pip: Path, wheel: Path) -> Path:
    """A virtual environment with scriptrun, to look at and to copy; nothing is changed in it."""
    path = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([base, "-I", "-m", "venv", "--without-pip", path], check=True, timeout=LIMIT)
    command: list[str | Path] = [path / "bin/python", pip, "install", "--quiet", wheel]
    subprocess.run(command, env={**HERMETIC, "HOME": str(path)}, check=True, timeout=LIMIT)
    return path


@pytest.mark.slow
def test_pip_in_a_virtual_environment(place: Make, installed: Path, base: Path) -> None:
    """`pip install` in a virtual environment gives a command that runs a script."""
    place(installed / "bin").assert_runs(base)


@pytest.mark.slow
def test_pip_for_a_user(place: Make, base: Path, pip: Path, wheel: Path) -> None:
    """`pip install --user` gives a command that runs a script on that very Python, and uninstalling takes it away."""
    at = place("own base/bin")
    variables = {"PYTHONUSERBASE": str(at.programs.parent)}
    at.install(base, pip, "install", "--user", wheel, **variables)
    at.assert_runs(base)
    at.install(base, pip, "uninstall", "--yes", "scriptrun", **variables)
    assert list(at.programs.glob("*scriptrun*")) == []


@pytest.mark.slow
def test_two_pythons_for_a_user(place: Make, base: Path, other: Path, pip: Path, wheel: Path) -> None:
    """Of two `--user` installations side by side the one made last gives the command."""
    at = place(".local/bin")
    at.install(base, pip, "install", "--user", wheel)
    at.install(other, pip, "install", "--user", wheel)
    assert len(list(at.programs.parent.glob("lib/*/site-packages/scriptrun"))) == 2
    at.assert_runs(other)


@pytest.mark.slow
def test_pip_with_a_prefix(place: Make, base: Path, pip: Path, wheel: Path) -> None:
    """`pip install --prefix` gives a command that runs a script, also where its Python is written with an option."""
    at = place("a prefix -x/bin")
    at.install(base, pip, "install", "--prefix", at.programs.parent, wheel)
    starter = at.programs / "scriptrun-python"
    first, rest = starter.read_text().split("\n", 1)
    assert f"#!{base}" == first
    at.assert_runs(base)
    starter.write_text(f"{first} -sE\n{rest}")
    assert "scriptrun" in at.run("scriptrun", "--version")


@pytest.mark.slow
def test_pip_with_a_target(place: Make, base: Path, pip: Path, wheel: Path) -> None:
    """`pip install --target` gives a command that runs a script."""
    at = place("target/bin")
    at.install(base, pip, "install", "--target", at.programs.parent, wheel)
    at.assert_runs(base)


@pytest.mark.slow
def test_pip_of_debian_with_a_prefix(place: Make, tmp_path: Path, wheel: Path) -> None:
    """Debian's Python installs into `local/lib/…/dist-packages`; the command runs a script from there as well."""
    debian = private.copy(Path("/usr/bin/python3"), tmp_path / "debian")
    (pip,) = Path("/usr/share/python-wheels").glob("pip-*.whl")  # the one that Debian has changed
    at = place("prefix/local/bin")
    at.install(debian, pip / "pip", "install", "--prefix", at.programs.parent.parent, wheel)
    (package,) = at.programs.parent.glob("lib/*/*/scriptrun")
    assert package.parent.name == "dist-packages"
    at.assert_runs(debian)


@pytest.mark.slow
def test_pipx(place: Make, base: Path, wheel: Path) -> None:
    """`pipx install` gives a command that runs a script."""
    at = place(".local/bin")
    at.install("pipx", "install", "--python", base, wheel, PIPX_DEFAULT_BACKEND="pip")
    at.assert_runs(base)


@pytest.mark.slow
def test_uv(place: Make, base: Path, wheel: Path) -> None:
    """`uv tool install` gives a command that runs a script."""
    at = place(".local/bin")
    at.install(
        *("uv", "tool", "install", "--offline", "--no-index", "--no-config"),
        *("--find-links", WHEELS, "--python", base, wheel),
    )
    at.assert_runs(base)


@pytest.mark.slow
def test_pip_editable(place: Make, user: User, base: Path, pip: Path) -> None:
    """`pip install -e` gives a command that runs a script, and whose source is the one in the repository."""
    source = user.home / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "scriptrun", source / "scriptrun", ignore=shutil.ignore_patterns("__pycache__"))
    at = place("venv/bin")
    user.run(base, "-I", "-m", "venv", "--without-pip", at.programs.parent)
    at.install(at.programs / "python", pip, "install", "-e", source)
    at.assert_runs(base)
    (source / "scriptrun" / "__init__.py").write_text('__version__ = "9.9"\n')
    assert at.run("scriptrun", "--version") == "scriptrun 9.9\n"


@pytest.mark.slow
def test_a_virtual_environment_that_was_moved(place: Make, installed: Path, base: Path) -> None:
    """A virtual environment that was moved, here into directories with spaces, is used where it is now."""
    at = place("a b/c d/bin")
    shutil.copytree(installed, at.programs.parent, symlinks=True)
    (package,) = at.programs.parent.glob("lib/*/site-packages/scriptrun")
    (package / "__init__.py").write_text('__version__ = "9.9"\n')
    starter = at.programs / "scriptrun-python"
    starter.write_text(starter.read_text().replace(str(installed), "/gone"))
    at.assert_runs(base)
    assert at.run("scriptrun", "--version") == "scriptrun 9.9\n"


@pytest.mark.slow
@pytest.mark.parametrize("through", ["chain", "relative", "directory", "directory in a chain"])
def test_symbolic_links(place: Make, installed: Path, base: Path, through: str) -> None:
    """The command is found through chains of links, relative links and links to directories; `readlink` need not be."""
    at = place("bin")
    home = at.user.home
    (home / "venv").symlink_to(installed)
    (home / "programs").symlink_to("venv/bin")
    if through == "directory":
        at.programs = home / "programs"
    else:
        at.programs.mkdir()
        targets = {"chain": installed / "bin/scriptrun", "relative": Path("../venv/bin/scriptrun")}
        (home / "link").symlink_to(targets.get(through, Path("programs/scriptrun")))
        (at.programs / "scriptrun").symlink_to("../link" if through != "relative" else targets[through])
    at.assert_runs(base)
    assert "scriptrun" in at.run(at.programs / "scriptrun", "--version", PATH=str(at.programs))


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["venv/bin", "./venv/bin", "venv/../venv/bin/", "", "."])
def test_relative_entries_of_path(place: Make, installed: Path, base: Path, entry: str) -> None:
    """The command is found through relative entries of PATH, the empty one for the current directory included."""
    at = place("bin")
    (at.user.directory / "venv").symlink_to(installed)
    (at.user.directory / "scriptrun").symlink_to("venv/bin/scriptrun")
    (at.user.home / "venv" / "bin").mkdir(parents=True)
    at.assert_runs(base, PATH=f"{entry}:/usr/bin:/bin", CDPATH=str(at.user.home))


def test_other_pythons_on_path_are_not_started(place: Make, user: User, installed: Path) -> None:
    """Whatever Pythons an activated virtual environment or a version manager puts on PATH: none is started."""
    at = place(installed / "bin")
    copied = place("user/bin")
    copied.programs.mkdir(parents=True)
    for name in ("scriptrun", "scriptrun-python"):  # as --user: no Python beside the command
        shutil.copy(at.programs / name, copied.programs)
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        user.write(f"active/bin/{name}", "#!/bin/sh\necho trap >&2\nexit 99\n", executable=True)
    active = user.directory / "active"
    for one in (at, copied):
        path = f"{active}/bin:{one.programs}:/usr/bin:/bin"
        assert "scriptrun" in one.run("scriptrun", "--version", PATH=path, VIRTUAL_ENV=str(active))


def test_an_activated_virtual_environment(place: Make, user: User, installed: Path, base: Path) -> None:
    """In an activated virtual environment a script runs on scriptrun's base interpreter and sees nothing of it."""
    active = user.directory / "active"
    user.run(base, "-I", "-m", "venv", "--without-pip", active)
    (site,) = active.glob("lib/*/site-packages")
    (site / "sitecustomize.py").write_text("import sys; sys.exit('the active one')\n")
    at = place(installed / "bin")
    at.assert_runs(base, PATH=f"{active}/bin:{at.programs}:/usr/bin:/bin", VIRTUAL_ENV=str(active))


def test_python_variables_do_not_reach_scriptrun(place: Make, user: User, installed: Path, base: Path) -> None:
    """Fake modules in PYTHONPATH and the current directory, and a PYTHONHOME that is none, do not disturb scriptrun."""
    for name in ("scriptrun", "json", "tomli", "packaging", "platformdirs", "findpython", "pip", "subprocess", "venv"):
        for directory in (".", "fakes"):
            user.write(f"{directory}/{name}/__init__.py", f"raise SystemExit('fake {name}')\n")
    nonsense = {
        "PYTHONHOME": "/nonsense",
        "PYTHONPATH": f"{user.directory}/fakes:/nonsense",
        "PYTHONSTARTUP": "/nonsense",
    }
    place(installed / "bin").assert_runs(base, **nonsense)


def test_python_m_scriptrun(place: Make, installed: Path, base: Path) -> None:
    """`python -m scriptrun` runs a script without the launcher."""
    at = place("nowhere")
    script = at.user.script("s.py", body=BODY)
    for state in ("cold", "warm"):
        assert f"{script} a b {base}\n" == at.run(installed / "bin/python", "-m", "scriptrun", script, "a b"), state


@pytest.mark.parametrize("left", ["launcher", "launcher and starter", "virtual environment"])
def test_a_python_that_has_gone(place: Make, installed: Path, left: str) -> None:
    """Where scriptrun's own Python is not there any more, the launcher says so, and what to do, with status 125."""
    at = place("gone/bin")
    at.programs.mkdir(parents=True)
    shutil.copy(installed / "bin/scriptrun", at.programs)
    missing = at.programs / "scriptrun-python"
    if left != "launcher":
        missing.write_text("#!/gone/python3.11\n")
        missing = Path("/gone/python3.11")
    if left == "virtual environment":
        (at.programs.parent / "pyvenv.cfg").touch()
        missing = at.programs / "python3"
    status, out, err = at.user.run(at.programs / "scriptrun", "--version")
    assert (status, out) == (125, "")
    assert f"scriptrun: error: the Python that scriptrun was installed with has gone: `{missing}`\nhint: " in err


@pytest.mark.parametrize("part", ["scriptrun", "packaging"])
def test_an_installation_that_is_not_whole(place: Make, installed: Path, part: str) -> None:
    """Where a part of scriptrun is missing, as after an upgrade of its Python, it says so with status 125."""
    at = place("broken/bin")
    shutil.copytree(installed, at.programs.parent, symlinks=True)
    (package,) = at.programs.parent.glob(f"lib/*/site-packages/{part}")
    shutil.rmtree(package)
    at.user.script("s.py", "demo")
    status, out, err = at.user.run(at.programs / "scriptrun", "./s.py")
    assert (status, out) == (125, "")
    assert "scriptrun: error: a part of it is missing for " in err
    assert f"No module named '{part}'" in err
    assert "Traceback" not in err
