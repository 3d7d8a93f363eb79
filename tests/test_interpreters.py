"""Choosing the interpreter: real Pythons, and programs on PATH that only look like one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from support.user import User

from scriptrun import interpreters
from scriptrun.errors import InterpreterError
from scriptrun.interpreter import Interpreter
from scriptrun.interpreters import Choice, Wish

MANAGERS = ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "ASDF_DATA_DIR", "RYE_PY_ROOT", "XDG_DATA_HOME")


class World:
    """A machine on which nothing is found but what a test puts there, and the Python that scriptrun runs on."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.cache = root / "cache"
        self.monkeypatch = monkeypatch
        for name in MANAGERS:
            monkeypatch.delenv(name, raising=False)
        for directory in (self.cache, root / "nobody", root / "bin"):
            directory.mkdir()
        monkeypatch.setenv("HOME", str(root / "nobody"))
        monkeypatch.setenv("PATH", str(root / "bin"))
        monkeypatch.setattr(interpreters, "USUAL_DIRECTORIES", ())
        self.own = self.identify(Path(sys.executable))

    def identify(self, path: Path) -> Interpreter:
        found = interpreters.identify(str(path), str(self.cache), os.environ)
        assert found is not None
        return found

    def choose(self, requested: str = "", requires: str = "") -> Choice:
        wish = Wish(requested, "--python", SpecifierSet(requires), "s.py:3")
        return interpreters.choose(wish, str(self.cache), os.environ)

    def refuse(self, requested: str = "", requires: str = "") -> str:
        with pytest.raises(InterpreterError) as raised:
            self.choose(requested, requires)
        return raised.value.render()

    def installed(self) -> list[Interpreter]:
        return interpreters.installed(str(self.cache), os.environ)

    def others(self) -> list[Interpreter]:
        """Return what is installed besides the Python that scriptrun runs on."""
        return [one for one in self.installed() if one != self.own]

    def program(self, name: str, text: str) -> Path:
        """Put a shell script on PATH that counts how often it is started."""
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\necho x >>'{self.root}/started'\n{text}\n")
        path.chmod(0o755)
        return path

    def fake(self, name: str, version: str, patch: str = "", python: str = "") -> Path:
        """Put a program on PATH that answers as a Python of this version; `patch` changes more of what it says."""
        code = f"import platform, sys, sysconfig; platform.python_version = lambda: '{version}'; {patch or 'pass'}; "
        return self.program(name, f'exec "{python or self.own.path}" -I -c "{code}exec(open(sys.argv[1]).read())" "$2"')

    def started(self) -> int:
        """Return how many programs were started until now."""
        path = self.root / "started"
        return path.read_text().count("x") if path.exists() else 0

    def installation(self, python: Path, name: str) -> Path:
        """Make an installation of the test's own from a Python and return its program."""
        prefix = self.root / name
        version = f"python3.{minor(python)}"
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib").mkdir()
        shutil.copy2(python, prefix / "bin" / version)
        library = subprocess.run(
            [python, "-I", "-c", "import os; print(os.path.dirname(os.__file__))"], capture_output=True, check=True
        )
        (prefix / "lib" / version).symlink_to(os.fsdecode(library.stdout.strip()))
        return prefix / "bin" / version


USUAL_DIRECTORIES = interpreters.USUAL_DIRECTORIES


def minor(python: Path) -> int:
    code = "import sys; print(sys.version_info.minor)"
    return int(subprocess.run([python, "-I", "-c", code], capture_output=True, check=True).stdout)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A machine with nothing but the Python that scriptrun runs on."""
    return World(tmp_path, monkeypatch)


@pytest.fixture
def other(pythons: list[Path], world: World) -> Path:
    """A Python of another minor version than the one that scriptrun runs on."""
    others = [path for path in pythons if not world.own.version.startswith(f"3.{minor(path)}.")]
    if not others:  # in CI `pythons` has failed by then
        pytest.skip("this machine has no second CPython from 3.8 on")
    return others[-1]


def test_own_python_is_taken_without_a_search(world: World) -> None:
    """The base of the Python that scriptrun runs on is the answer, and no other program is started to find it."""
    world.fake("python3.99", "3.99.0")
    choice = world.choose(requires=">=3.8")
    assert choice.interpreter == world.own
    assert os.path.realpath(sys.executable) == world.own.path
    assert world.started() == 0


@pytest.mark.slow
def test_newest_release_where_own_does_not_satisfy(world: World, other: Path) -> None:
    """Where requires-python excludes scriptrun's own Python, the newest release that fits is taken: a real one here."""
    (world.root / "bin" / other.name).symlink_to(other)
    world.fake("python3.98", "3.98.0rc1")
    world.fake("python3.5", "3.5.0")
    choice = world.choose(requires=f"!={world.own.version}")
    assert choice.interpreter.path == str(other)
    assert "newest installed release" in choice.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ("3.90", "3.90.4"),
        ("3.90.1", "3.90.1"),
        ("cpython3.90", "3.90.4"),
        ("cpython@3.90", "3.90.4"),
        ("python3.90", "3.90.1"),
        (">=3.90", "3.91.0"),
        ("~=3.90.1", "3.90.4"),
        (">=3.90,<3.91", "3.90.4"),
        ("==3.91.*", "3.91.0"),
        ("3.92", "3.92.0rc1"),
        ("3.92.0rc1", "3.92.0rc1"),
        (">=3.92.0b1", "3.92.0rc1"),
        ("3.91t", "3.91.0"),
        ("pypy3.90", "3.90.7"),
    ],
)
def test_forms_of_a_version(world: World, requested: str, expected: str) -> None:
    """A version of one, two or three numbers, with `t`, an implementation or an operator means the newest that fits."""
    world.fake("python3.90", "3.90.1")
    world.fake("python3", "3.90.4")
    world.fake("python3.91", "3.91.0")
    world.fake("python", "3.92.0rc1")
    world.fake("python3.91t", "3.91.0", "sysconfig.get_config_var = lambda name: 1")
    world.fake("pypy3", "3.90.7", "sys.implementation.name = 'pypy'")
    found = world.choose(requested).interpreter
    assert found.version == expected
    assert found.free_threaded == requested.endswith("t")
    assert found.implementation == ("pypy" if requested.startswith("pypy") else "cpython")


def test_own_python_is_preferred_for_a_version(world: World) -> None:
    """`3` means the Python that scriptrun runs on, although there is a newer one."""
    world.fake("python3.99", "3.99.0")
    assert world.choose("3").interpreter == world.own


def test_other_kinds_are_taken_only_when_named(world: World) -> None:
    """Neither a free-threaded nor another implementation is the newest release for requires-python."""
    world.fake("python3.91t", "3.91.0", "sysconfig.get_config_var = lambda name: 1")
    world.fake("pypy3", "3.90.7", "sys.implementation.name = 'pypy'")
    world.fake("python3.89", "3.89.0")
    assert world.choose(requires=">=3.80").interpreter.version == "3.89.0"
    assert "no installed Python satisfies" in world.refuse(requires=">=3.90")


def test_pre_releases_only_where_asked_for(world: World) -> None:
    """A pre-release is taken where --python or requires-python names one, never as the newest of all."""
    world.fake("python3.92", "3.92.0rc1")
    assert world.choose(requires=">=3.92.0b1").interpreter.version == "3.92.0rc1"
    for requires in (">=3.92", ">=3.91.5", "==3.92.*"):
        assert f"requires-python `{SpecifierSet(requires)}`" in world.refuse(requires=requires)
    assert "no Python found for `>=3.91`" in world.refuse(">=3.91")
    world.fake("python3.91", "3.91.2")
    assert world.choose(requires=">=3.91.0b1").interpreter.version == "3.91.2"


def test_patch_release_is_compared(world: World, other: Path) -> None:
    """A bound within a minor version is judged by the real patch release."""
    (world.root / "bin" / other.name).symlink_to(other)
    version = world.identify(other).version
    minor_version = version.rpartition(".")[0]
    assert world.choose(requires=f">={version},=={minor_version}.*").interpreter.path == str(other)
    assert version in world.refuse(requires=f">{version},=={minor_version}.*")


@pytest.mark.parametrize("requested", ["3.90", "python3.90", "/bin/python3.90"])
def test_request_against_requires_python(world: World, requested: str) -> None:
    """A Python that was asked for and that requires-python forbids is an error that names both."""
    fake = world.fake("python3.90", "3.90.4")
    requested = str(fake) if "/" in requested else requested
    message = world.refuse(requested, ">=3.91")
    assert f"s.py:3: `{requested}` (--python) is Python 3.90.4, which requires-python `>=3.91`" in message


def test_allowed_one_is_preferred_among_those_asked_for(world: World) -> None:
    """Of the Pythons that a request means, the newest that requires-python allows is taken."""
    world.fake("python3.90", "3.90.4")
    world.fake("python3.91", "3.91.0")
    assert world.choose(">=3.90", "<3.91").interpreter.version == "3.90.4"


def test_nothing_fits_tells_what_there_is(world: World) -> None:
    """The message lists every Python found, newest first, where it is, and the ways to get another."""
    world.fake("python3.91", "3.91.0")
    lines = world.refuse(requires=">=4").splitlines()
    assert lines[0] == "scriptrun: error: s.py:3: no installed Python satisfies requires-python `>=4`"
    assert lines[1:3] == [f"  found: cpython 3.91.0 ({world.own.path})", f"  found: {world.own}"]
    assert all(way in lines[3] for way in ("hint: ", "packages", "pyenv", "uv python install", "--python"))


@pytest.mark.parametrize("requested", ["3.70", "3.14b3", "nonsense", "/nowhere/python3", "3.12.1.1", ">=x", "2.7"])
def test_request_that_means_nothing(world: World, requested: str) -> None:
    """A request that no Python answers, or that is no version at all, is an error that names it and nothing else."""
    message = world.refuse(requested)
    assert message.startswith("scriptrun: error: ")
    assert f"`{requested}`" in message
    assert "requires-python" not in message


@pytest.mark.slow
def test_programs_that_are_no_python_are_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim that fails, hangs, prints garbage or is a Python 2 is left out; noise around the answer does no harm."""
    for name, text in {
        "python3.80": "echo 'shim: python3.80: command not found' >&2; exit 127",
        "python3.81": "echo '{\"path\": 1}'",
        "python3.82": 'echo \'scriptrun: {"path": "/x"}\'',
        "python3.83": "printf '\\377\\000\\n'",
        "python3.84": "kill -9 $$",
        "python3.85": "exec /nowhere",
        "python": "echo 'Unknown option: -I' >&2; exit 2",
        "python3": "while :; do /bin/sleep 1000; done",
    }.items():
        world.program(name, text)
    world.fake("python3.86", "not a version")
    world.fake("python3.90", "3.90.1", "print('welcome'); print('careful', file=sys.stderr)")
    (world.root / "bin" / "python3.87").write_bytes(b"\x7fELF")
    (world.root / "bin" / "python3.87").chmod(0o755)
    (world.root / "bin" / "python3.88").mkdir()
    (world.root / "bin" / "python3.89").symlink_to("python3.89")
    assert world.identify(world.root / "bin" / "python3.90").version == "3.90.1"
    monkeypatch.setattr(interpreters, "PROBE_TIMEOUT", 2.0)  # for the one that hangs
    assert [one.version for one in world.others()] == ["3.90.1"]


def test_python_2_is_skipped(world: World) -> None:
    """A real Python 2.7, where the machine has one, is no Python; elsewhere one that answers as it does."""
    real = Path("/root/.pyenv/versions/2.7.18/bin/python2.7")
    if real.exists():
        (world.root / "bin" / "python").symlink_to(real)
    else:
        world.program("python", "echo 'Unknown option: -I' >&2; exit 2")
    assert world.installed() == [world.own]


def test_failing_shim_does_not_hide_the_next_of_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked for along all of PATH, and what its first program fails to be, the second may be."""
    shims = world.root / "shims"
    shims.mkdir()
    shutil.move(world.program("python3.90", "exit 127"), shims)
    good = world.fake("python3.90", "3.90.1")
    monkeypatch.setenv("PATH", f"{shims}:{os.environ['PATH']}")
    choice = world.choose("python3.90")
    assert (choice.interpreter.version, choice.program) == ("3.90.1", str(good))


def test_scripts_named_like_python_are_not_started(world: World) -> None:
    """Neither `python3-config` nor `python.sh` nor `pythonista` is started in search of a Python."""
    for name in ("python3-config", "python.sh", "python3.py", "pythonista.py", "python2.7", "mypython"):
        world.program(name, "exit 1")
    assert world.installed() == [world.own]
    assert world.started() == 0


def test_answers_are_remembered(world: World) -> None:
    """The second search starts no program, neither one that answered nor one that did not."""
    world.fake("python3.90", "3.90.1")
    world.program("python3.80", "exit 1")
    first = world.installed()
    started = world.started()
    assert started == 2
    assert world.installed() == first
    assert world.started() == started


@pytest.mark.slow
@pytest.mark.parametrize("how", ["replaced", "rewritten"])
def test_memory_ends_with_the_program(world: World, how: str) -> None:
    """A program that was replaced or rewritten is asked again, although size and time of change are as they were."""
    path = world.fake("python3.90", "3.90.1")
    assert [one.version for one in world.others()] == ["3.90.1"]
    before = path.stat()
    if how == "replaced":
        path.rename(path.with_name("old"))
    world.fake("python3.90", "3.90.2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert [one.version for one in world.others()] == ["3.90.2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", None),
        ("marks", {}),
        ("base_marks", 1),
        ("facts", []),
        ("facts", {}),
        ("version", 3),
        ("version", "?"),
        ("implementation", None),
        ("platform", ["linux"]),
        ("free_threaded", "no"),
        ("new", "from another version"),
    ],
)
def test_memory_that_makes_no_sense_is_none(world: World, field: str, value: object) -> None:
    """A memory with something wrong inside counts for nothing: the program is asked again."""
    fake = world.fake("python3.90", "3.90.1")
    expected = world.identify(fake)
    (memory,) = (one for one in (world.cache / "v1/interpreters").iterdir() if str(fake) in one.read_text())
    content = json.loads(memory.read_text())
    (content if field in content else content["facts"])[field] = value
    memory.write_text(json.dumps(content))
    assert world.identify(fake) == expected
    assert world.started() == 2
    assert world.identify(fake) == expected
    assert world.started() == 2


def test_memory_that_is_too_deep_is_none(world: World) -> None:
    """A memory that no parser gets to the end of counts for nothing."""
    (memory,) = (world.cache / "v1/interpreters").iterdir()
    memory.write_text("[" * 100_000)
    assert world.identify(Path(sys.executable)) == world.own


def test_memory_ends_with_the_base_behind_a_wrapper(world: World, other: Path) -> None:
    """A wrapper is asked again when the Python behind it is another file, and left out when that is gone."""
    base = world.installation(other, "behind")
    wrapper = world.fake("python3.90", "3.90.1", python=str(base))
    assert world.identify(wrapper).path == str(base)
    shutil.copy2(base, f"{base}.new")
    Path(f"{base}.new").rename(base)
    started = world.started()
    assert world.identify(wrapper).path == str(base)
    assert world.started() == started + 1
    base.unlink()
    assert world.others() == []


def test_own_python_is_asked_again(world: World) -> None:
    """That the Python that scriptrun runs on did not answer once is an error, and not remembered."""
    shutil.rmtree(world.cache)
    world.cache.mkdir()
    with world.monkeypatch.context() as patched:
        patched.setattr(interpreters, "PROBE_TIMEOUT", 0.0)
        assert "`, which scriptrun runs on, did not answer what it is\n" in world.refuse()
    assert world.choose().interpreter == world.own


def test_refusal_is_not_believed_for_ever(world: World) -> None:
    """A program that did not answer is asked again after a while: the machine may have been busy."""
    world.program("python3.80", f"test -e '{world.root}/ready' && exec '{world.own.path}' \"$@\"")
    assert world.installed() == [world.own]
    (world.root / "ready").touch()
    assert world.started() == 1
    for memory in (world.cache / "v1" / "interpreters").iterdir():
        os.utime(memory, (1, 1))
    assert world.installed() == [world.own]
    assert world.started() == 2


def test_program_asked_for_is_asked_afresh(world: World) -> None:
    """What a shim leads to may change without the shim, so a program that is named is asked each time."""
    shim = world.program("python3.90", f". '{world.root}/target'")
    for version in ("3.90.1", "3.90.2"):
        target = world.fake("target", version)
        target.rename(world.root / "target")
        assert world.choose("python3.90").interpreter.version == version
        assert world.choose(str(shim)).interpreter.version == version


def test_path_entries_that_are_relative_or_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of PATH that are missing, empty or files do no harm; relative ones take no part, wherever one stands."""
    world.fake("python3.90", "3.90.1")
    monkeypatch.chdir(world.root)
    for path in ("/nowhere::.", "bin:./bin", f"{world.root / 'bin' / 'python3.90'}:", ""):
        monkeypatch.setenv("PATH", path)
        assert world.installed() == [world.own]
        assert "no Python found" in world.refuse("python3.90")
    assert world.started() == 0
    monkeypatch.delenv("PATH")
    assert world.own in world.installed()


def test_without_a_home(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME may be unset, or name what is no directory."""
    world.fake("python3.90", "3.90.1")
    monkeypatch.setenv("HOME", "/dev/null")
    assert [one.version for one in world.others()] == ["3.90.1"]
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("PYENV_ROOT", str(world.root))  # else that of the account that runs the tests is found
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(world.root))
    assert [one.version for one in world.others()] == ["3.90.1"]


def test_pyenv_uv_and_system_directories(world: World, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pythons of pyenv, of uv and of the system are found, each once, although PATH has none of them."""
    assert {"/usr/bin", "/usr/local/bin"} <= set(USUAL_DIRECTORIES)
    system = world.installation(other, "system")
    pyenv = world.installation(other, "pyenv/versions/3.9.9")
    uv = world.installation(other, "uv/cpython-3.9.9-linux-x86_64-gnu")
    (uv.parent / "python3").symlink_to(uv.name)
    (world.root / "uv" / "cpython-3.9-linux-x86_64-gnu").symlink_to(uv.parent.parent.name)
    monkeypatch.setenv("PYENV_ROOT", str(world.root / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(world.root / "uv"))
    monkeypatch.setattr(interpreters, "USUAL_DIRECTORIES", (str(system.parent),))
    assert {one.path for one in world.others()} == {str(system), str(pyenv), str(uv)}


def test_damaged_manager_does_not_end_the_search(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read of one manager leaves what the others and PATH have."""
    (world.root / "pyenv").mkdir()
    (world.root / "pyenv" / "versions").touch()
    monkeypatch.setenv("PYENV_ROOT", str(world.root / "pyenv"))
    world.fake("python3.90", "3.90.1")
    assert [one.version for one in world.others()] == ["3.90.1"]


def test_installation_is_listed_once(world: World, other: Path) -> None:
    """Several names for the Python of one installation are one Python, under its shortest name; newest come first."""
    program = world.installation(other, "private")
    os.link(program, f"{program}m")
    for name in ("python3", "python"):
        (program.parent / name).symlink_to(f"{program.name}m")
    world.monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    world.fake("python3.99", "3.99.0")
    world.fake("python3.1", "3.1.0")
    found = world.installed()
    assert [one.path for one in found].count(str(program)) == 1
    assert (found[0].version, found[-1].version, len(found)) == ("3.99.0", "3.1.0", 4)


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--copies"]])
def test_always_a_base_interpreter(world: World, pythons: list[Path], options: list[str]) -> None:
    """A virtual environment, also one within another and one with copies, on PATH or asked for, means its base."""
    for python in (pythons[0], pythons[-1], Path(world.own.path)):
        outer, inner = world.root / f"outer{minor(python)}", world.root / f"inner{minor(python)}"
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", *options, outer], check=True)
        subprocess.run([outer / "bin/python", "-I", "-m", "venv", "--without-pip", *options, inner], check=True)
        for environment in (outer, inner):
            assert world.choose(str(environment)).interpreter.path == str(python)
            assert world.identify(environment / "bin" / "python3").path == str(python)
            world.monkeypatch.setenv("PATH", str(environment / "bin"))
            assert world.choose("python").interpreter.path == str(python)
        shutil.rmtree(outer)
        shutil.rmtree(inner)


def test_base_that_has_gone(world: World, user: User, other: Path) -> None:
    """An environment whose base interpreter has gone is built anew, and which Python takes its place is told."""
    first, second = (world.installation(other, name) for name in ("first", "second"))
    path = user.variables["PATH"]
    user.variables["PATH"] = f"{path.partition(':')[0]}:{first.parent}:{second.parent}:/usr/bin:/bin"
    head = f'# requires-python = "==3.{minor(other)}.*"\n'
    user.script("s.py", head=head, body="import sys; print(sys.base_prefix)\n")
    assert user.run("./s.py") == (0, f"{first.parent.parent}\n", "")
    shutil.rmtree(first.parent.parent)
    status, out, err = user.run("./s.py")
    assert (status, out) == (0, f"{second.parent.parent}\n")
    assert f"note: `{first}`" in err
    assert str(second) in err
    assert user.run("./s.py") == (0, f"{second.parent.parent}\n", "")
