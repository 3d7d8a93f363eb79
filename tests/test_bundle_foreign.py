"""Bundles for Pythons and machines that are not here: what is chosen for them, and what is refused."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support import varied
from support.index import Index
from support.user import User

from scriptrun import arguments, request
from scriptrun.bundle import locking, platforms, target, wheels
from scriptrun.bundle.wheels import Collected
from scriptrun.errors import BundleError, InstallError, InterpreterError, LockError, UsageError
from scriptrun.resolve import Wanted

LINUX, MAC, WINDOWS = "manylinux_2_28_aarch64", "macosx_12_0_arm64", "win_amd64"


def silent(_line: str) -> None:
    """Nobody waits for this."""


def wanted(user: User, script: Path, *named: str, python: str = "3.12") -> Wanted:
    """Return what a bundle of a script for a Python elsewhere is made from, with a lock."""
    environ = user.environment()
    options = ["--python", python] if python else []
    asked = request.read(arguments.parse([*options, str(script)], environ), environ)
    return locking.lock(target.resolve(asked, environ, named), environ, silent)


def collect(user: User, directory: Path, found: Wanted) -> Collected:
    """Collect the wheels for what is wanted, in a directory that is made."""
    directory.mkdir()
    return wheels.collect(found, user.environment(), str(directory), silent)


def native(tag: str, version: str = "1.0") -> tuple[str, bytes]:
    """Return a wheel of `native` for a tag; its module says which."""
    return varied.wheel("native", version, {"native.py": f"T = {tag!r}\n".encode()}, tag=tag)


@pytest.fixture
def served(user: User, index: Index) -> Index:
    """An index that the user's pip asks."""
    user.variables["PIP_INDEX_URL"] = index.url
    return index


CHOSEN = [
    (LINUX, "cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64"),
    ("manylinux2014_x86_64", "cp312-cp312-manylinux_2_5_x86_64.manylinux1_x86_64"),
    ("musllinux_1_2_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
    (MAC, "cp310-abi3-macosx_11_0_arm64"),
    (WINDOWS, "cp312-cp312-win_amd64"),
]


@pytest.mark.parametrize(("named", "tag"), CHOSEN)
def test_wheels_for_the_platform(user: User, served: Index, tmp_path: Path, named: str, tag: str) -> None:
    """Of a native distribution, the wheel for that very platform and Python is chosen; older systems' count."""
    tags = [tag for _, tag in CHOSEN]
    served.add(*(native(one) for one in [*tags, *(one.replace("cp312", "cp311") for one in tags)]))
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "native"), named))
    assert [one.file for one in collected.wheels] == [f"native-1.0-{tag}.whl"]


MARKED = """\
windows; sys_platform == 'win32'
mac; sys_platform == 'darwin'
linux; sys_platform == 'linux' and os_name == 'posix'
arm; platform_machine in 'aarch64 arm64 ARM64'
newer; python_version >= '3.14' and python_full_version >= '3.14.0'
older; python_version < '3.14'
system; platform_system == 'Windows'
"""


@pytest.mark.parametrize(
    ("named", "python", "expected"),
    [
        (LINUX, "3.12", ["arm", "linux", "older"]),
        (MAC, "3.14", ["arm", "mac", "newer"]),
        (WINDOWS, "3.12", ["older", "system", "windows"]),
        ("win_arm64", "3.14.2", ["arm", "newer", "system", "windows"]),
        ("win32", "3.12", ["older", "system", "windows"]),
    ],
)
def test_markers_of_the_target(  # noqa: PLR0913, PLR0917 - the target, and what is expected
    user: User, served: Index, tmp_path: Path, named: str, python: str, expected: list[str]
) -> None:
    """What a script asks for by a marker, and what a distribution does, is judged by the target."""
    lines = MARKED.splitlines()
    served.add(*(indexes.wheel(line.partition(";")[0], "1.0") for line in lines))
    served.add(indexes.wheel("asking", "1.0", requires=lines[3:]))
    script = user.script("job.py", *lines[:3], "asking")
    collected = collect(user, tmp_path / "wheels", wanted(user, script, named, python=python))
    assert [one.distribution.name for one in collected.wheels] == sorted([*expected, "asking"])


def test_lock_is_for_the_target(user: User, served: Index) -> None:
    """The lock of a bundle says for which target it is, and keeps to versions that the script has locked."""
    served.add(indexes.wheel("demo", "1.0"))
    script = user.script("job.py", "demo")
    assert user.run("scriptrun", "lock", script).status == 0
    served.add(indexes.wheel("demo", "2.0"))
    made = wanted(user, script, LINUX).lock
    assert made is not None
    assert str(made.target) == "cpython 3.12 on linux-aarch64 glibc"
    assert made.target.script == "job.py"
    assert [str(one.version) for one in made.packages] == ["1.0"]
    user.variables["SCRIPTRUN_LOCKED"] = "1"
    with pytest.raises(LockError, match=r"the lock is for cpython .*, and this is cpython 3\.12 on win-amd64"):
        wanted(user, script, WINDOWS)


def test_lock_of_the_script_is_used_for_its_target(user: User, served: Index, tmp_path: Path) -> None:
    """A lock that was made where the bundle is for counts as it is, without another Python being named."""
    served.add(native("cp312-cp312-win_amd64"))
    script = user.script("job.py", "native")
    made = wanted(user, script, WINDOWS).lock
    assert made is not None
    (user.directory / "pylock.job.toml").write_text(made.text)
    served.add(native("cp312-cp312-win_amd64", "2.0"))
    found = wanted(user, script, WINDOWS, python="")
    assert (found.lock and found.lock.digest, found.spec.interpreter.version) == (made.digest, "3.12.0")
    assert [one.file for one in collect(user, tmp_path / "wheels", found).wheels] == [
        "native-1.0-cp312-cp312-win_amd64.whl"
    ]


@pytest.mark.slow
def test_python_that_is_not_here(user: User, served: Index, tmp_path: Path) -> None:
    """A Python that is not installed is one of a machine like this; of a source nothing is built for it."""
    pure = indexes.wheel("pure", "1.0", requires_python=">=3.90")
    served.add(pure, varied.sources()["built"])
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "pure"), python="3.99"))
    assert [one.file for one in collected.wheels] == [pure[0]]
    with pytest.raises(InstallError, match=r"no distribution of `built` was found for Python 3\.99 on ") as raised:
        wanted(user, user.script("job.py", "built"), python="3.99")
    assert "make the bundle on a machine of that kind" in raised.value.hint


def test_what_the_platform_lacks_is_named(user: User, served: Index) -> None:
    """Where there is no wheel for a platform, the message says of what, for what, who needs it, and what to do."""
    served.add(native("cp312-cp312-win_amd64"), indexes.wheel("asking", "1.0", requires=["native"]))
    script = user.script("job.py", "asking")
    with pytest.raises(InstallError) as raised:
        wanted(user, script, LINUX)
    expected = f"no distribution of `native` was found for Python 3.12 on {LINUX}, which `asking` needs"
    assert raised.value.message == expected
    assert raised.value.place == f"{script}:4"
    assert f"those for Python 3.12 on {LINUX}: name other platforms" in raised.value.hint


def test_file_that_was_changed_is_refused(user: User, served: Index, tmp_path: Path) -> None:
    """A wheel for another machine that does not have the hash of the lock is refused, by name."""
    served.add(native("cp312-cp312-win_amd64"))
    found = wanted(user, user.script("job.py", "native"), WINDOWS)
    served.files["native-1.0-cp312-cp312-win_amd64.whl"] += b"\0"
    with pytest.raises(InstallError, match="`native` does not have the hash that the lock says"):
        collect(user, tmp_path / "wheels", found)


@pytest.mark.slow
def test_directory_is_built_if_all_can_use_it(user: User, served: Index, tmp_path: Path) -> None:
    """What is built here goes into a bundle for another machine if it is for any, and is refused by name if not."""
    for name in ("anywhere", "here"):
        project = user.directory / name
        project.mkdir()
        (project / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["tools"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        backend = varied.BACKEND.replace("NAME", name)
        (project / "backend.py").write_text(
            backend if name == "anywhere" else backend.replace('tag = "py3-none-any"', 'tag = "py3-none-linux_x86_64"')
        )
    served.add(indexes.wheel("tools", "1.0"))
    found = wanted(user, user.script("job.py", f"anywhere @ file://{user.directory}/anywhere"), WINDOWS)
    assert [one.file for one in collect(user, tmp_path / "one", found).wheels] == ["anywhere-1.0-py3-none-any.whl"]
    found = wanted(user, user.script("job.py", f"here @ file://{user.directory}/here"), WINDOWS)
    with pytest.raises(BundleError, match=r"`here` was built here, as .*linux_x86_64\.whl`, which is not"):
        collect(user, tmp_path / "two", found)


@pytest.mark.slow
def test_commands(user: User, shared_index: Index, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The commands of a distribution are there for systems that start scripts; that Windows has none is said."""
    assert shared_index.url == user.variables["PIP_INDEX_URL"]
    script = user.script("job.py", "tool")
    (tool,) = collect(user, tmp_path / "mac", wanted(user, script, MAC)).wheels
    assert [one.stored for one in tool.programs] == ["prefix/bin/tool"]
    (tool,) = collect(user, tmp_path / "windows", wanted(user, script, WINDOWS)).wheels
    assert not tool.programs
    assert "a bundle for Windows holds no commands: those of tool are left out" in capfd.readouterr().err


def test_platforms_are_read(user: User) -> None:
    """What is no platform is refused with examples, as are those of different machines, and other Pythons."""
    script = user.script("job.py", head='# requires-python = ">=3.12.3"\n')
    with pytest.raises(UsageError, match="`linux` is no platform that a bundle can be for"):
        wanted(user, script, "linux")
    with pytest.raises(UsageError, match="are platforms of different machines"):
        wanted(user, script, "win32", "win_amd64")
    with pytest.raises(InterpreterError, match=r"Python 3\.12\.0 is not allowed by requires-python"):
        wanted(user, script, LINUX)
    assert wanted(user, script, LINUX, python="3.12.4").spec.interpreter.version == "3.12.4"


def test_tags_of_a_platform() -> None:
    """A platform takes what is for older systems, under all names that these have; the first of several is first."""
    said, found = platforms.read(["manylinux_2_18_x86_64", "linux_x86_64"])
    assert (said, found[:3], found[-2:]) == (
        "linux-x86_64 glibc",
        ("manylinux_2_18_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        ("manylinux1_x86_64", "linux_x86_64"),
    )
    assert platforms.read(["manylinux2014_aarch64"])[1] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert platforms.read(["musllinux_1_1_x86_64"])[1] == ("musllinux_1_1_x86_64", "musllinux_1_0_x86_64")
    assert platforms.read(["macosx_11_0_arm64"])[1][0] == "macosx_11_0_arm64"


@pytest.mark.network
def test_real_distribution_for_another_machine(user: User, tmp_path: Path) -> None:
    """Of a real distribution with native code, the wheel for a machine of another kind is collected."""
    del user.variables["PIP_INDEX_URL"], user.variables["PIP_CONFIG_FILE"]
    user.variables.update(users.variables_of_this_machine())
    (one,) = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "markupsafe==3.0.2"), LINUX)).wheels
    assert one.file == "MarkupSafe-3.0.2-cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
    assert "site/markupsafe/_speedups.cpython-312-aarch64-linux-gnu.so" in [file.stored for file in one.files]


@pytest.mark.slow
def test_bundle_for_elsewhere_runs_there(user: User, shared_index: Index, pythons: list[Path], tmp_path: Path) -> None:
    """A bundle that was made as for another machine runs where such a Python is, with nothing to ask."""
    assert shared_index.url == user.variables["PIP_INDEX_URL"]
    version = ".".join(platform.python_version_tuple()[:2])
    script = user.script("job.py", "tool", "other; sys_platform == 'win32'", body="import tool\ntool.main()\n")
    named = ("--platform", f"manylinux_2_17_{platform.machine()}", f"--platform=linux_{platform.machine()}")
    made = user.run("scriptrun", "bundle", script, "--python", version, *named)
    assert (made.status, made.out) == (0, "job.pyz\n"), made.err
    elsewhere = users.create(tmp_path / "elsewhere", Path("/nowhere/scriptrun"), "http://127.0.0.1:9/simple/")
    python = next(one for one in pythons if f"python{version}" in str(one.resolve()))
    ran = elsewhere.run(python, user.directory / "job.pyz")
    assert ran.status == 0, ran.err
    assert ran.out.startswith(f"tool in {elsewhere.cache}")
    (environment,) = elsewhere.environments()
    held = json.loads((environment / "scriptrun.json").read_text())["distributions"]
    assert [one["name"] for one in held] == ["tool"]


def test_build_with_a_password_is_refused(user: User, served: Index) -> None:
    """What a build for another machine needs is not chosen in a pip that knows a password: that one chooses for it."""
    user.variables["PIP_INDEX_URL"] = served.url_for("ada:secret")
    project = user.directory / "local"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["tools"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (project / "backend.py").write_text(varied.BACKEND.replace("NAME", "local"))
    with pytest.raises(InstallError, match="a build of `local` needs `tools`") as raised:
        wanted(user, user.script("job.py", f"local @ file://{project}"), LINUX)
    assert raised.value.hint == "make a wheel of it, and ask for that"
    assert "secret" not in raised.value.render()
