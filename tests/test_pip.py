"""What pip is told, and what it leaves behind: options, old Pythons, the manifest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import index as indexes
from support.index import Index
from support.user import User

PRINT = "import demo; print(demo.V)\n"


def facts(user: User, *options: str) -> dict[str, object]:
    """Return what `scriptrun env --json` says of the script."""
    finished = user.run("scriptrun", *options, "env", "--json", "s.py")
    assert finished.status == 0, finished.err
    return dict(json.loads(finished.out))


@pytest.fixture
def asked(user: User, index: Index) -> Index:
    """An index of the test's own with two releases, a pre-release and a source, which the user's pip asks."""
    index.add(*(indexes.wheel("demo", version) for version in ("1.0", "2.0", "3.0b1")))
    index.add(indexes.wheel("only", "1.0"), indexes.sdist("only", "2.0", {"setup.py": "raise SystemExit('built')\n"}))
    user.variables.update(PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    return index


@pytest.mark.slow
def test_pip_starts_no_program_for_its_user_agent(user: User) -> None:
    """Neither `lsb_release` nor `uname` runs, though both are on PATH: a file tells pip which system this is."""
    for name in ("lsb_release", "uname"):
        user.write(f"programs/{name}", f"#!/bin/sh\n: > '{user.directory}/{name} ran'\n", executable=True)
    user.script("s.py", "demo", body=PRINT)
    path = f"{user.directory}/programs:{user.variables['PATH']}"
    assert user.run("scriptrun", "s.py", PATH=path) == (0, "2.0\n", "")
    assert [one.name for one in user.directory.glob("* ran")] == []


@pytest.mark.slow
def test_options_of_pip_do_what_they_do_in_pip_and_are_in_the_key(
    user: User, asked: Index, shared_index: Index
) -> None:
    """Each option changes what is installed as it would in pip, and has environments of its own."""
    links = user.directory / "links with spaces"
    links.mkdir()
    name, content = indexes.wheel("demo", "7.0")
    (links / name).write_bytes(content)
    user.write("constraints.txt", "demo<2\n")
    user.script("s.py", "demo", body=PRINT)
    expected = {
        (): "2.0",
        ("--pre",): "3.0b1",
        ("--constraint", "constraints.txt"): "1.0",
        ("--find-links", "links with spaces"): "7.0",
        ("--no-index", "--find-links", "links with spaces"): "7.0",
        ("--index-url", shared_index.url): "2.0",
        ("--extra-index-url", shared_index.url): "2.0",
    }
    keys = set()
    for options, version in expected.items():
        before, elsewhere = len(asked.requests), len(shared_index.requests)
        assert user.run("scriptrun", *options, "s.py") == (0, f"{version}\n", ""), options
        keys.add(facts(user, *options)["key"])
        assert (len(asked.requests) > before) == (options[:1] not in (("--no-index",), ("--index-url",))), options
        assert (len(shared_index.requests) > elsewhere) == (shared_index.url in options), options
    assert len(keys) == len(expected)


@pytest.mark.slow
def test_no_build_takes_wheels_only(user: User, asked: Index) -> None:
    """Without --no-build pip starts a build, with it the older wheel is installed and no build runs."""
    user.script("s.py", "only", body="import only; print(only.V)\n")
    assert user.run("scriptrun", "--no-build", "s.py") == (0, "1.0\n", "")
    assert "/files/only-2.0.tar.gz" not in asked.requests
    assert user.run("scriptrun", "s.py").status == 125
    assert "/files/only-2.0.tar.gz" in asked.requests


@pytest.mark.slow
def test_no_binary_builds(user: User, asked: Index) -> None:
    """With --no-binary the archive of sources is built where a wheel would have been taken."""
    asked.add(indexes.wheel("other", "1.0"), indexes.sdist("other", "1.0", {"setup.py": "raise SystemExit('built')\n"}))
    user.script("s.py", "other")
    assert user.run("scriptrun", "--no-binary", "other", "s.py").status == 125
    assert "/files/other-1.0.tar.gz" in asked.requests
    assert user.run("scriptrun", "s.py").status == 0


@pytest.mark.slow
def test_exclude_newer_ignores_what_came_later(user: User, asked: Index) -> None:
    """A date, a time or a number of days leaves out what was uploaded after it; each is in the key."""
    asked.uploaded = {
        "demo-1.0-py3-none-any.whl": "2020-01-01T00:00:00Z",
        "demo-2.0-py3-none-any.whl": "2022-01-01T00:00:00Z",
        "demo-3.0b1-py3-none-any.whl": "2022-01-01T00:00:00Z",
    }
    user.script("s.py", "demo", body=PRINT)
    expected = {"2021-01-01": "1.0", "2022-06-01T12:00:00Z": "2.0", "7": "2.0", "36500": "none", "7 days": "2.0"}
    keys = set()
    for moment, version in expected.items():
        finished = user.run("scriptrun", "--exclude-newer", moment, "s.py")
        if version == "none":
            assert finished.status == 125
            assert "--exclude-newer may hide what there is" in finished.err
        else:
            assert finished == (0, f"{version}\n", ""), moment
        keys.add(facts(user, "--exclude-newer", moment)["key"])
    assert len(keys) == len(expected)


def test_the_manifest_says_what_was_installed_from_where(user: User, shared_index: Index) -> None:
    """Each distribution has its version, the hash of its file, and the URL that it came from."""
    user.script("s.py", "other")
    assert user.run("./s.py").status == 0
    origins = {
        "demo": f"{shared_index.url.replace('/simple/', '/files/')}demo-1.0-py3-none-any.whl",
        "other": f"{shared_index.url.replace('/simple/', '/files/')}other-1.0-py3-none-any.whl",
    }
    digests = {name: shared_index.page(name)[1].partition(f"{name}-1.0")[2] for name in origins}
    distributions = facts(user)["distributions"]
    assert isinstance(distributions, list)
    assert {one["name"]: (one["version"], one["origin"]) for one in distributions} == {
        name: ("1.0", url) for name, url in origins.items()
    }
    for one in distributions:
        assert one["hash"].startswith("sha256=")
        assert one["hash"].removeprefix("sha256=") in digests[one["name"]]


@pytest.mark.slow
def test_an_old_python_gets_the_pip_it_brings_along(user: User, pythons: list[Path], shared_index: Index) -> None:
    """A Python that the newest pip has left behind installs with its own; what that pip cannot report is empty."""
    old = [python for python in pythons if minor(python) < 10]
    if not old:
        pytest.fail("this needs a CPython 3.8 or 3.9: pyenv install 3.9")
    for python in old:
        version = f"3.{minor(python)}"
        head = f'# requires-python = "=={version}.*"\n'
        body = "import sys, other, demo; print('%d.%d' % sys.version_info[:2], demo.V)\n"
        user.script("s.py", "other", head=head, body=body)
        user.variables["PATH"] = f"{python.parent}:{user.variables['PATH']}"
        assert user.run("scriptrun", "s.py") == (0, f"{version} 1.0\n", "")
        distributions = facts(user)["distributions"]
        assert isinstance(distributions, list)
        assert [(one["name"], one["version"]) for one in distributions] == [("demo", "1.0"), ("other", "1.0")]
        for one in distributions:
            origin = f"{shared_index.url.replace('/simple/', '/files/')}{one['name']}-1.0-py3-none-any.whl"
            assert one["origin"] in ("", origin)
            assert bool(one["hash"]) == bool(one["origin"])


@pytest.mark.slow
def test_exclude_newer_is_not_dropped_for_an_old_pip(user: User, pythons: list[Path]) -> None:
    """An old pip cannot leave out what is newer: an error, not an environment that ignores the wish."""
    if minor(pythons[0]) >= 10:
        pytest.fail("this needs a CPython 3.8 or 3.9: pyenv install 3.9")
    user.script("s.py", "demo")
    finished = user.run("scriptrun", "--python", str(pythons[0]), "--exclude-newer", "7", "s.py")
    assert finished.status == 125
    assert "scriptrun: error: this Python needs an old pip" in finished.err.splitlines()[0]
    assert user.environments() == []


@pytest.mark.slow
def test_a_python_without_ensurepip_works(user: User, pythons: list[Path], tmp_path: Path) -> None:
    """Where a system leaves `ensurepip` out, scriptrun's pip still serves a newer Python; an older one is told."""
    for python in (pythons[0], pythons[-1]):
        copy = without_ensurepip(python, tmp_path / f"3.{minor(python)}")
        user.script("s.py", "demo", body=PRINT)
        finished = user.run("scriptrun", "--python", str(copy), "s.py")
        if minor(python) >= 10 or list(Path("/usr/share/python-wheels").glob("pip-*.whl")):
            assert finished == (0, "2.0\n", "")
        else:
            assert finished.status == 125
            assert "brings none of its own (its module `ensurepip` is missing)" in finished.err.splitlines()[0]


def minor(python: Path) -> int:
    """Return the minor version of an interpreter."""
    code = "import sys; print(sys.version_info.minor)"
    return int(subprocess.run([python, "-I", "-c", code], capture_output=True, check=True).stdout)


def without_ensurepip(python: Path, place: Path) -> Path:
    """Return a private copy of an interpreter that lacks `ensurepip` and all that is installed."""
    name = f"python3.{minor(python)}"
    ignored = shutil.ignore_patterns("site-packages", "ensurepip", "test", "config-*", "idlelib", "tkinter")
    shutil.copytree(python.parent.parent / "lib" / name, place / "lib" / name, ignore=ignored, symlinks=True)
    (place / "bin").mkdir()
    shutil.copy2(os.path.realpath(python), place / "bin" / name)
    return place / "bin" / name
