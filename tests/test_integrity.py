"""An environment against what its distributions say that they installed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support import index as indexes
from support.user import User

from scriptrun import integrity, paths
from scriptrun.integrity import DIFFERS, MISSING, Finding
from scriptrun.order import Distribution


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, command: Path) -> Path:
    """An environment that pip made: `demo`, `my-tool` 2.0.post1 with a command, `plain` with a file without hash."""
    home = tmp_path_factory.mktemp("user")
    files = {"my_tool/__init__.py": "def main():\n    print('tool')\n", "my_tool/data.bin": "x" * 3_000_000}
    unlisted = indexes.wheel("plain", "1.0", files={"plain.py": "V = 1\n"})
    with indexes.serve() as index:
        index.add(
            indexes.wheel("demo", "1.0"),
            indexes.wheel("my-tool", "2.0.post1", files=files, scripts={"tool": "my_tool:main"}),
            without_hash(unlisted, "plain.py"),
        )
        user = User(home, home, {"HOME": str(home), "PATH": f"{command.parent}:/usr/bin:/bin", "LANG": "C.UTF-8"})
        user.script("s.py", "demo", "my-tool", "plain")
        ran = user.run("./s.py", PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL=index.url)
        assert ran == (0, "", "")
    (environment,) = user.environments()
    return environment


def without_hash(wheel: tuple[str, bytes], name: str) -> tuple[str, bytes]:
    """Return a wheel whose RECORD does not list the file `name`: pip installs it and notes no hash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel[1])) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            text = old.read(member).decode()
            if member.endswith("/RECORD"):
                text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"{name},"))
            new.writestr(member, text)
    return wheel[0], buffer.getvalue()


@pytest.fixture
def environment(built: Path, tmp_path: Path) -> Path:
    """A copy of that environment, of the test's own."""
    return Path(shutil.copytree(built, tmp_path / "environment", symlinks=True))


def found(environment: Path, *, unhashed: bool = True) -> list[Finding]:
    """Return what is wrong with the distributions of an environment."""
    manifest = json.loads(Path(paths.manifest(str(environment))).read_text())
    distributions = [Distribution(**one) for one in manifest["distributions"]]
    return list(integrity.findings(str(environment), distributions, unhashed=unhashed))


def site(environment: Path) -> Path:
    """Return the directory of modules of an environment."""
    (directory,) = environment.glob("lib/python*/site-packages")
    return directory


@pytest.mark.slow
def test_what_pip_made_is_whole(environment: Path) -> None:
    """A fresh environment has no findings, also when byte code has gone, or files were added."""
    assert found(environment) == []
    subprocess.run([environment / "bin/python", "-I", "-m", "compileall", "-q", site(environment)], check=True)
    assert found(environment) == []
    assert list(site(environment).rglob("*.pyc"))
    for path in site(environment).rglob("*.pyc"):
        path.unlink()
    (site(environment) / "demo_extra.py").touch()
    assert found(environment) == []


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"\xff\0,")


INFO = "demo-1.0.dist-info"


@pytest.mark.parametrize(
    ("name", "damage", "expected"),
    [
        pytest.param("demo.py", Path.unlink, "demo 1.0: demo.py is missing", id="module deleted"),
        pytest.param("demo.py", flip, "demo 1.0: demo.py differs", id="bit flipped"),
        pytest.param("my_tool/data.bin", flip, "my-tool 2.0.post1: my_tool/data.bin differs", id="in a large file"),
        pytest.param("demo.py", replace_by_directory, "demo 1.0: demo.py differs", id="a directory instead"),
        pytest.param("demo.py", replace_by_pipe, "demo 1.0: demo.py differs", id="a pipe instead"),
        pytest.param("plain.py", Path.unlink, "plain 1.0: plain.py is missing", id="without hash"),
        pytest.param("../../../bin/tool", flip, "my-tool 2.0.post1: ../../../bin/tool differs", id="command"),
        pytest.param(INFO, shutil.rmtree, "demo 1.0: all of it is missing", id="list of files with its directory"),
        pytest.param(f"{INFO}/METADATA", flip, f"demo 1.0: {INFO}/METADATA differs", id="metadata"),
        pytest.param(f"{INFO}/RECORD", Path.unlink, f"demo 1.0: {INFO}/RECORD is missing", id="RECORD deleted"),
        pytest.param(f"{INFO}/RECORD", empty, f"demo 1.0: {INFO}/RECORD differs", id="RECORD empty"),
        pytest.param(f"{INFO}/RECORD", overwrite, f"demo 1.0: {INFO}/RECORD differs", id="RECORD garbage"),
        pytest.param(
            f"{INFO}/RECORD", replace_by_directory, f"demo 1.0: {INFO}/RECORD cannot be read", id="RECORD directory"
        ),
    ],
)
def test_damage_is_found(environment: Path, name: str, damage: Callable[[Path], object], expected: str) -> None:
    """One damaged file, or distribution, is one finding, and nothing else is."""
    damage(site(environment) / name)
    assert [str(finding) for finding in found(environment)] == [expected]


def test_truncated_list_of_files_is_found(environment: Path) -> None:
    """A RECORD that ends before it lists itself, or within a row, is found."""
    record = site(environment) / INFO / "RECORD"
    content = record.read_bytes()
    own = content.index(b"RECORD,,")
    for length in range(0, own, 7):
        record.write_bytes(content[:length])
        assert found(environment), content[:length]
    record.write_bytes(content[:own] + b"RECORD,,\r\ndemo.py,sha")
    assert found(environment)


def test_file_without_hash_counts_only_where_asked(environment: Path) -> None:
    """What a RECORD lists without a hash need not be there when an environment has just been made."""
    (site(environment) / "plain.py").unlink()
    assert found(environment, unhashed=False) == []


def test_another_version_is_not_the_one_that_was_there(environment: Path) -> None:
    """Somebody's upgrade in place leaves the version missing that the manifest lists."""
    os.rename(site(environment) / INFO, site(environment) / "demo-2.0.dist-info")
    assert found(environment) == [Finding("demo", "1.0", "all of it", MISSING)]


def test_library_gone(environment: Path) -> None:
    """Where all modules are gone, every distribution is."""
    shutil.rmtree(environment / "lib")
    assert [(one.distribution, one.file) for one in found(environment)] == [
        ("demo", "all of it"),
        ("my-tool", "all of it"),
        ("plain", "all of it"),
    ]


def test_finding_in_words() -> None:
    """A finding names the distribution with its version, unless it is about the environment as such."""
    assert str(Finding("demo", "1.0", "demo.py", MISSING)) == "demo 1.0: demo.py is missing"
    assert str(Finding("", "", "pyvenv.cfg", DIFFERS)) == "pyvenv.cfg differs"


@pytest.fixture
def interpreter(built: Path) -> str:
    """The interpreter that the environment was made for."""
    return str(json.loads(Path(paths.manifest(str(built))).read_text())["asked"]["interpreter"]["path"])


def base_found(environment: Path, interpreter: str) -> list[str]:
    return [str(finding) for finding in integrity.base_findings(str(environment), interpreter)]


def test_virtual_environment_is_looked_at(environment: Path, interpreter: str, tmp_path: Path) -> None:
    """`pyvenv.cfg` must lead to the base interpreter, and so must the Python; the base itself must be there."""
    assert base_found(environment, interpreter) == []
    configuration, python = environment / "pyvenv.cfg", environment / "bin/python"
    content = configuration.read_text()
    configuration.write_text("version = 3\n")
    assert base_found(environment, interpreter) == ["pyvenv.cfg differs"]
    configuration.write_text(content.replace("home = /", "home = /elsewhere/"))
    assert base_found(environment, interpreter) == ["pyvenv.cfg differs"]
    configuration.unlink()
    assert base_found(environment, interpreter) == ["pyvenv.cfg is missing"]
    configuration.write_text(content)
    python.unlink()
    assert base_found(environment, interpreter) == ["bin/python is missing"]
    python.symlink_to(tmp_path / "nowhere")
    assert base_found(environment, interpreter) == ["bin/python is missing"]
    python.unlink()
    python.symlink_to("/bin/true")
    assert base_found(environment, interpreter) == ["bin/python differs"]


def test_base_interpreter_gone(environment: Path, tmp_path: Path) -> None:
    """A base interpreter that is not there any more is named, and so is the link that leads to it."""
    gone = str(tmp_path / "bin/python3")
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to(gone)
    (environment / "pyvenv.cfg").write_text(f"home = {tmp_path}/bin\n")
    assert base_found(environment, gone) == [f"{gone} is missing", "bin/python is missing"]


def test_modules_are_those_of_the_environments_own_python(tmp_path: Path) -> None:
    """Whatever else lies below `lib`, modules are where the environment's own Python looks for them."""
    environment = str(tmp_path)
    for own in ("python3.12", "python3.13t", "pypy3.10", "python3.9"):
        shutil.rmtree(tmp_path, ignore_errors=True)
        for name in (own, "aa", "pythons", "python3", "python-3.1", "python3.x", "zz"):
            (tmp_path / "lib" / name / "site-packages").mkdir(parents=True)
        (tmp_path / "lib/python3.1").mkdir()
        (tmp_path / "lib/python3.2").touch()
        assert paths.site_packages(environment) == f"{environment}/lib/{own}/site-packages"
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / own.removesuffix("t")).symlink_to("nowhere")
        for name in ("python3.10", "pypy3.9", "python3.14"):
            (tmp_path / "lib" / name / "site-packages").mkdir(parents=True)
        assert paths.site_packages(environment) == f"{environment}/lib/{own}/site-packages"
    shutil.rmtree(tmp_path / "lib")
    (tmp_path / "lib").mkdir()
    with pytest.raises(FileNotFoundError):
        paths.site_packages(environment)
