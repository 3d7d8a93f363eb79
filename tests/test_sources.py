"""Requirements from elsewhere than an index: what changes is noticed, links to sources need no rebuild."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support import user as users
from support.user import User

LIBRARY = Path(__file__).parent / "data" / "foreign" / "library"

SCRIPT = """\
# /// script
# dependencies = ["library"]
# [tool.{}.sources]
# library = {{ path = "../library"{} }}
# ///
from importlib.metadata import version

import library

print(library.V, version("library"))
"""


@pytest.fixture
def library(user: User) -> Path:
    """The project `library`, beside the directory of scripts."""
    return shutil.copytree(LIBRARY, user.directory / "library")


def change(path: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("table", ["scriptrun", pytest.param("uv", marks=pytest.mark.slow)])
def test_directory_is_built_again_when_it_changes(user: User, library: Path, table: str) -> None:
    """From any current directory, a change of any source counts at once; what builds and programs write does not."""
    user.write("scripts/s.py", SCRIPT.format(table, ""))
    run = ("scriptrun", "scripts/s.py")
    assert user.run(*run) == (0, "old 1.0\n", "")
    assert (library / "build/lib/written").exists()
    (library / ".pytest_cache").mkdir()
    (library / "src/library/loop").symlink_to("..")
    assert user.run("scriptrun", "s.py", cwd=user.directory / "scripts") == (0, "old 1.0\n", "")
    assert (len(user.environments()), user.records()) == (1, [])
    change(library / "src/library/__init__.py", "old", "new")
    assert user.run(*run) == (0, "new 1.0\n", "")
    change(library / "pyproject.toml", "1.0", "2.0")
    assert user.run(*run) == (0, "new 2.0\n", "")
    change(library / "pyproject.toml", "2.0", "1.0")
    change(library / "src/library/__init__.py", "new", "old")
    assert user.run(*run) == (0, "old 1.0\n", "")
    assert len(user.environments()) == 3


@pytest.mark.parametrize("table", ["scriptrun", pytest.param("uv", marks=pytest.mark.slow)])
def test_editable_directory(user: User, library: Path, table: str) -> None:
    """A change of a module is seen at once and builds nothing, one of the project's description builds it again."""
    user.write("scripts/s.py", SCRIPT.format(table, ", editable = true"))
    run = ("scriptrun", "scripts/s.py")
    assert user.run(*run) == (0, "old 1.0\n", "")
    change(library / "src/library/__init__.py", "old", "new")
    assert user.run(*run, PIP_INDEX_URL="http://127.0.0.1:9/") == (0, "new 1.0\n", "")
    assert (len(user.environments()), user.records()) == (1, [])
    change(library / "pyproject.toml", "1.0", "2.0")
    assert user.run(*run) == (0, "new 2.0\n", "")
    assert len(user.environments()) == 2
    assert user.run("scriptrun", "cache", "verify").status == 0


@pytest.mark.slow
def test_editable_directory_is_repaired_as_one(user: User, library: Path) -> None:
    """What was installed as a link is installed as one again when its environment is repaired."""
    user.write("scripts/s.py", SCRIPT.format("uv", ", editable = true"))
    assert user.run("scriptrun", "scripts/s.py") == (0, "old 1.0\n", "")
    (environment,) = user.environments()
    (link,) = environment.glob("lib/*/site-packages/library.pth")
    link.unlink()
    assert user.run("scriptrun", "cache", "verify").status == 1
    assert user.run("scriptrun", "cache", "verify", "--repair").status == 0
    change(library / "src/library/__init__.py", "old", "new")
    assert user.run("scriptrun", "scripts/s.py") == (0, "new 1.0\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", "[more]"])
def test_editable_directory_with_any_python(user: User, library: Path, pythons: list[Path], extra: str) -> None:
    """The pip that an old Python brings along links a directory as well, its extras and markers heeded."""
    script = SCRIPT.format("uv", ", editable = true").replace('["library"]', f"""['library{extra}; os_name != "x"']""")
    user.write("scripts/s.py", script + "import importlib.util as i; print(bool(i.find_spec('tool')))\n")
    for python in (pythons[0], pythons[-1]):
        assert user.run("scriptrun", "-p", python, "scripts/s.py") == (0, f"old 1.0\n{bool(extra)}\n", "")
    change(library / "src/library/__init__.py", "old", "new")
    assert user.run("scriptrun", "-p", pythons[0], "scripts/s.py") == (0, f"new 1.0\n{bool(extra)}\n", "")


@pytest.mark.network
@pytest.mark.slow
def test_editable_project_with_setup_py_alone(user: User, pythons: list[Path]) -> None:
    """A project that has nothing but `setup.py` is linked, and found, with the pip of an old Python too."""
    setup = "from setuptools import setup\nsetup(name='library', version='1.0', py_modules=['library'])\n"
    user.write("library/setup.py", setup)
    user.write("library/library.py", "V = 'old'\n")
    user.write("scripts/s.py", SCRIPT.format("uv", ", editable = true"))
    del user.variables["PIP_INDEX_URL"]
    user.variables.update(users.variables_of_this_machine())
    for python in (pythons[0], pythons[-1]):
        assert user.run("scriptrun", "-p", python, "scripts/s.py") == (0, "old 1.0\n", "")


@pytest.mark.slow
def test_source_that_cannot_be(user: User, library: Path) -> None:
    """A path that is not there, an editable file and another name are refused, with the line of the source."""
    user.write("scripts/s.py", SCRIPT.format("uv", ", editable = true").replace("../library", "gone"))
    finished = user.run("scriptrun", "scripts/s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "scripts/s.py:4: `library @ file://" in finished.err
    assert f"names a path that does not exist: `{user.directory}/scripts/gone`" in finished.err
    user.write("scripts/gone", "")
    assert "is editable, and no directory" in user.run("scriptrun", "scripts/s.py").err
    user.write(
        "scripts/s.py",
        SCRIPT.format("uv", ", editable = true").replace("library", "demo").replace("../demo", "../library"),
    )
    finished = user.run("scriptrun", "scripts/s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "scripts/s.py:4: pip reported success, but `demo` is not installed" in finished.err
    assert f"hint: the project at {library.as_uri()} may have another name\n" in finished.err
    assert user.environments() == []


@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_key_holds_sources(user: User) -> None:
    """A link and a copy, a route and none, the first index and any are different environments."""
    block = '# /// script\n# dependencies = ["library", "demo"]\n# [[tool.uv.index]]\n# name = "x"\n# url = "https://index.example/"\n'
    seen = set()
    for more in (
        '# explicit = true\n# [tool.uv.sources]\n# library = { path = "library" }\n',
        '# explicit = true\n# [tool.uv.sources]\n# library = { path = "library", editable = true }\n',
        '# [tool.uv.sources]\n# library = { path = "library" }\n',
        '# explicit = true\n# [tool.uv.sources]\n# library = { path = "library" }\n# demo = { index = "x" }\n',
    ):
        user.write("s.py", f"{block}{more}# ///\n")
        seen.add(json.loads(user.run("scriptrun", "env", "--json", "s.py").out)["key"])
    assert len(seen) == 4
